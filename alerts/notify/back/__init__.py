"""What pagers and chats call back: signatures checked, and what a person asked for. Pure."""
