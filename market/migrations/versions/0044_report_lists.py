"""lists of inspections, delivery notes and cases by day; the record of the meeting behind a surplus return"""

import sqlalchemy as sa
from alembic import op

revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None

BY_DAY = {'inspection_record': 'bought_on', 'shipment': 'business_date', 'after_sale': 'business_date'}


def upgrade() -> None:
    op.add_column('surplus_return', sa.Column('decision_no', sa.String(length=60), server_default='', nullable=False))
    op.add_column('surplus_return', sa.Column('decided_on', sa.Date(), nullable=True))
    for table, day in BY_DAY.items():
        op.create_index(f'ix_{table}_day', table, [day, 'id'])


def downgrade() -> None:
    for table in BY_DAY:
        op.drop_index(f'ix_{table}_day', table)
    op.drop_column('surplus_return', 'decided_on')
    op.drop_column('surplus_return', 'decision_no')
