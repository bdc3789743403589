"""What is sent to pagers, chats, mail and webhooks, and what their answers mean: a pure module a type of receiver."""
