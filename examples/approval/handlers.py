"""The mail to a manager, and what the manager does with it.

On AWS, the function mails a link and a person's click calls SendTaskSuccess with the token. Here
the handler says what the person will answer, and when; the wait costs no time.
"""

from __future__ import annotations

from typing import Any

import doorstep


def mail_manager(mail: dict[str, Any]) -> doorstep.Answer:
    match mail["expense"]["manager"]:
        case "grace":
            return doorstep.answer({"manager": "grace", "approved": True}, after="1d")
        case "ebenezer":
            refusal = {"manager": "ebenezer", "approved": False, "reason": "humbug"}
            return doorstep.answer(refusal, after="10m")
        case _:
            return doorstep.no_answer()


def pay_out(expense: dict[str, Any]) -> dict[str, Any]:
    return {"transfer": f"{expense['id']}-{expense['euros']}"}
