source tools/gdb/sluice.py
