"""Orders written into P21: parties, the Transaction API, look-ups and the read-back."""
