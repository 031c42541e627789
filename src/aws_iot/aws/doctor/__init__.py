"""The probes of `aws-iot doctor`: host names, proxies, certificates, clock, user pool, WebSocket."""
