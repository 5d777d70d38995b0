"""What the practice provider's pages say, in Chinese and English; no visitor of the shop's own pages reads this."""

WORDS = {
    "zh": {
        "title": "演练收款页", "practice": "演练 · 不会扣任何真钱", "other": "English", "other_code": "en",
        "merchant": "收款方", "order": "订单", "amount": "金额", "goods": "内容",
        "alipay": "用演练支付宝付款", "wechat_pay": "用演练微信支付付款", "card": "用演练银行卡付款", "number": "卡号",
        "cards": "演练卡号：{good} 成功，{bad} 被拒。", "cancel": "取消，回到订单",
        "declined": "银行卡被拒，没有扣款。请换一种方式再试。", "no_such_way": "这种付款方式不可用，没有扣款。",
        "complete": "这笔已经付过了，没有再次扣款。", "expired": "这个付款页已过期，没有扣款。",
        "unknown": "没有这个页面。", "busy": "演练收款方暂时没有应答，请再试一次。", "back": "回到订单",
        "connect": "演练开户", "connect_text": "真实开户时，合作社要在这里填写证照和账户。演练时按一下即可。",
        "connect_button": "开通收款", "connect_name": "合作社",
    },
    "en": {
        "title": "Practice payment page", "practice": "Practice · no real money is taken", "other": "中文",
        "other_code": "zh",
        "merchant": "Paid to", "order": "Order", "amount": "Amount", "goods": "For",
        "alipay": "Pay with practice Alipay", "wechat_pay": "Pay with practice WeChat Pay",
        "card": "Pay with a practice card", "number": "Card number",
        "cards": "Practice cards: {good} is taken, {bad} is declined.", "cancel": "Cancel, back to the order",
        "declined": "The card was declined; nothing was taken. Please try another way.",
        "no_such_way": "This way of paying is not offered; nothing was taken.",
        "complete": "This has been paid already; nothing was taken again.",
        "expired": "This payment page has expired; nothing was taken.",
        "unknown": "There is no such page.", "busy": "The practice provider does not answer. Please try again.",
        "back": "Back to the order",
        "connect": "Practice onboarding",
        "connect_text": "In earnest the co-operative enters its papers and bank account here. Now one tap does.",
        "connect_button": "Enable payments", "connect_name": "Co-operative",
    },
}
