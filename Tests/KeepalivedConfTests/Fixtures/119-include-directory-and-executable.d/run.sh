priority 1
