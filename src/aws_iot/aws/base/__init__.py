"""What all adapters share: calls with deadlines, an admin's credentials, proxies, network errors."""
