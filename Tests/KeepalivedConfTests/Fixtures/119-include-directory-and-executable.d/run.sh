#!/bin/sh
priority 1
