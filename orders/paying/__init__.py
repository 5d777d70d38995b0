"""Paying: claims of bank transfers, their receipt, refunds."""
