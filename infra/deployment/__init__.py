"""`deployment.yaml` to typed settings, or to every problem in it with file and line."""

from infra.deployment.reader import read
from infra.deployment.settings import Deployment

__all__ = ["Deployment", "read"]
