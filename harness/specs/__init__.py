"""What is evaluated and how: challenge, task and submission files, checked and frozen."""
