"""The one line that `systemctl status` shows: what hangs, what is held and why, or that all is well."""

from __future__ import annotations

from p21d.engine.supervisor import Supervisor


def one_line(supervisor: Supervisor, trouble: str = "") -> str:
    """Return the line; `trouble` is what hangs and cannot be begun anew."""
    runners = supervisor.runners.values()
    held = [f"{runner.plan.name}: {runner.gate.hold.state.reason}" for runner in runners if runner.gate.hold.state]
    paused = [runner.plan.name for runner in runners if runner.gate.paused]
    parts = [part for part in (supervisor.connection.store.condition.words, trouble) if part]
    parts.append(f"{len(held)} of {len(runners)} entities held; {held[0]}" if held else f"{len(runners)} entities run")
    if paused:
        parts.append(f"paused: {', '.join(paused)}")
    orders = supervisor.orders
    if orders is not None and (reason := orders.state().held_reason):
        parts.append(f"orders held: {reason}")
    return "; ".join(parts)
