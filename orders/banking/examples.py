"""An invented bank statement as a bank exports it: with lines above the headings and a sum below."""

from collections.abc import Sequence
from datetime import date

from market import money

EXAMPLE = "bank-statement-example.csv"
HEADINGS = ("交易日期", "借方发生额", "贷方发生额", "对方户名", "对方账号", "摘要", "流水号")
WENT_OUT_FEN = 3500


def example(day: date) -> bytes:
    """What one may look like; its order number is nobody's."""
    return statement(day, [(123_450, "永州演示第一小学", f"货款 S{day:%y%m%d}-7KQ2M9X"), (1_208, "", "结息")])


def statement(day: date, moves: Sequence[tuple[int, str, str]]) -> bytes:
    """Movements of a day (fen, payer, text) and one that went out, in UTF-8 with the mark that Excel needs."""
    lines = [f"账号：8200 0000 0000 演示,期间：{day.isoformat()},演示数据,,,,", ",".join(HEADINGS)]
    for number, (fen, payer, text) in enumerate(moves, 1):
        account = f'="62220000000000{number:05d}"' if payer else ""
        lines.append(f'{day.isoformat()} 09:{number:02d}:30,,"{money.yuan(fen)}",{payer},{account},{text},'
                     f"DEMO{number:04d}")
    lines += [f"{day.isoformat()} 17:05:02,{money.yuan(WENT_OUT_FEN)},,演示电力公司,,电费,DEMO9999",
              f'合计,{money.yuan(WENT_OUT_FEN)},"{money.yuan(sum(fen for fen, _payer, _text in moves))}",,,,']
    return b"\xef\xbb\xbf" + "".join(line + "\r\n" for line in lines).encode()
