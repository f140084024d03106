#pragma once

/// How often memory was asked for since the start, by any thread.
unsigned long allocation_count(void);
