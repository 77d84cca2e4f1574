"""The caller: recordings, when they are spoken, and the telephone line between caller and Connect."""
