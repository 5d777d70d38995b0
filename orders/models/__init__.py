"""The tables that several rooms of the orders storey read; what only one room knows stands in that room."""

from orders.models.aftersale import (
    AfterSale as AfterSale,
)
from orders.models.aftersale import (
    AfterSaleLine as AfterSaleLine,
)
from orders.models.aftersale import (
    AfterSalePhoto as AfterSalePhoto,
)
from orders.models.aftersale import (
    CreditChange as CreditChange,
)
from orders.models.aftersale import (
    Rating as Rating,
)
from orders.models.banking import (
    BankMapping as BankMapping,
)
from orders.models.banking import (
    BankRow as BankRow,
)
from orders.models.banking import (
    BankStatement as BankStatement,
)
from orders.models.buying import (
    CartLine as CartLine,
)
from orders.models.buying import (
    Order as Order,
)
from orders.models.buying import (
    OrderLine as OrderLine,
)
from orders.models.buying import (
    Purchase as Purchase,
)
from orders.models.cards import (
    CardPayment as CardPayment,
)
from orders.models.cards import (
    ConnectedAccount as ConnectedAccount,
)
from orders.models.cards import (
    ProviderEvent as ProviderEvent,
)
from orders.models.declaring import (
    CollectiveProposal as CollectiveProposal,
)
from orders.models.declaring import (
    IncomeCorrection as IncomeCorrection,
)
from orders.models.delivering import (
    Acceptance as Acceptance,
)
from orders.models.delivering import (
    AcceptanceLine as AcceptanceLine,
)
from orders.models.delivering import (
    AcceptancePart as AcceptancePart,
)
from orders.models.delivering import (
    AcceptancePhoto as AcceptancePhoto,
)
from orders.models.delivering import (
    DeliveryRun as DeliveryRun,
)
from orders.models.delivering import (
    GoodsReturn as GoodsReturn,
)
from orders.models.delivering import (
    ReturnLine as ReturnLine,
)
from orders.models.delivering import (
    ReturnPart as ReturnPart,
)
from orders.models.delivering import (
    Shipment as Shipment,
)
from orders.models.delivering import (
    ShipmentLine as ShipmentLine,
)
from orders.models.delivering import (
    ShipmentOrigin as ShipmentOrigin,
)
from orders.models.income import (
    CollectiveAgreement as CollectiveAgreement,
)
from orders.models.income import (
    IncomeDeclaration as IncomeDeclaration,
)
from orders.models.income import (
    PaidAtWeighIn as PaidAtWeighIn,
)
from orders.models.income import (
    Payout as Payout,
)
from orders.models.income import (
    PayoutLine as PayoutLine,
)
from orders.models.income import (
    PayoutShare as PayoutShare,
)
from orders.models.income import (
    ReturnShare as ReturnShare,
)
from orders.models.paying import (
    ClaimPart as ClaimPart,
)
from orders.models.paying import (
    FeeRule as FeeRule,
)
from orders.models.paying import (
    PaymentClaim as PaymentClaim,
)
from orders.models.paying import (
    PaymentSetting as PaymentSetting,
)
from orders.models.paying import (
    ReceiptShare as ReceiptShare,
)
from orders.models.paying import (
    Refund as Refund,
)
from orders.models.paying import (
    RefundLine as RefundLine,
)
from orders.models.paying import (
    RefundShare as RefundShare,
)
from orders.models.reconciling import (
    MoneyTask as MoneyTask,
)
from orders.models.reconciling import (
    Reconciliation as Reconciliation,
)
