"""The Transaction API of the simulated P21: it replays the Order window and has every trap of the real one."""

from __future__ import annotations

from p21d.sandbox.prophet21.transaction.api import TransactionApi

__all__ = ["TransactionApi"]
