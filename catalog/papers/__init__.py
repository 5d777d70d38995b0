"""The certificate vault: papers of suppliers, goods and lots, and what may not be sold without them."""
