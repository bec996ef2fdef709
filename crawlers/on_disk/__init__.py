"""What stands on this machine's disk, read as a stream: dumps, ZIM files, texts, tables."""
