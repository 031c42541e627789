"""The probes behind `aws-iot doctor`: names, proxies, certificates, clocks, pools, the upgrade."""
