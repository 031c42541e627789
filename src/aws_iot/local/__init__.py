"""The local stack: Cognito, IoT Core and CloudFormation on 127.0.0.1, for demos and tests.

The engine is ministack. `patches/` adds what AWS does and the engine does not, and `gateway` is the door in front of
it. The stack is provisioned as on AWS: by deploying the project's template.
"""
