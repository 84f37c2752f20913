"""CDS Hooks 2.0.1: an EHR calls while an order is picked or signed, and shows our cards."""
