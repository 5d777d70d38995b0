"""How a supplier comes in and goes out: application, recommendation, admission, suspension, exit."""
