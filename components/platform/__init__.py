"""What a Kubernetes cluster needs before its workloads."""
