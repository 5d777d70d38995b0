"""An invented bank statement as a bank exports it: with lines above the headings and a sum below."""

from datetime import date

EXAMPLE = "bank-statement-example.csv"
HEADINGS = ("交易日期", "借方发生额", "贷方发生额", "余额", "对方户名", "对方账号", "摘要", "流水号")


def example(day: date) -> bytes:
    """Three movements of a day; UTF-8 with the mark that Excel needs."""
    number = f"S{day:%y%m%d}-7KQ2M9X"
    lines = (
        f"账号：8200 0000 0000 演示,期间：{day:%Y-%m-01} 至 {day.isoformat()},演示数据,,,,,",
        ",".join(HEADINGS),
        f'{day.isoformat()} 09:12:30,,"1,234.50","11,234.50",永州演示第一小学,="6222000000000000001",货款 {number},'
        'DEMO0001',
        f'{day.isoformat()} 10:05:02,35.00,,"11,199.50",演示电力公司,="6222000000000000002",电费,DEMO0002',
        f'{day.isoformat()} 16:40:11,,12.08,"11,211.58",,,结息,DEMO0003',
        '合计,35.00,"1,246.58",,,,,')
    return b"\xef\xbb\xbf" + "".join(line + "\r\n" for line in lines).encode()
