"""What stands out: looked for every night, opened as cases, answered, decided; grave ones hold figures back."""
