"""claims taken back, payers declared beforehand; the days to pay of orders from before there were terms"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    _allow_states('claimed', 'received', 'refused', 'withdrawn')
    op.create_table(
        'declared_payer',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('unit_id', NUMBER, nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('kind', _choice('kind', 'treasury', 'superior', 'person', 'other'), nullable=False),
        sa.Column('declared_by', NUMBER, nullable=False),
        sa.Column('declared_at', sa.DateTime(), nullable=False),
        sa.Column('ended_by', NUMBER, nullable=True),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(['declared_by'], ['user.id'], name='fk_declared_payer_declared_by'),
        sa.ForeignKeyConstraint(['ended_by'], ['user.id'], name='fk_declared_payer_ended_by'),
        sa.ForeignKeyConstraint(['unit_id'], ['organisation.id'], name='fk_declared_payer_unit_id'),
        sa.PrimaryKeyConstraint('id', name='pk_declared_payer'),
    )
    op.create_index('uq_declared_payer_holds', 'declared_payer', ['unit_id', 'name'], unique=True,
                    sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
    _give_days_to_pay()


def downgrade() -> None:
    op.execute("UPDATE payment_claim SET state = 'refused' WHERE state = 'withdrawn'")
    op.drop_table('declared_payer')
    _allow_states('claimed', 'received', 'refused')


def _give_days_to_pay() -> None:
    """Orders of before: as their frame contract says, from acceptance, or from the latest day when that was due."""
    op.execute('''
        UPDATE "order" SET payment_days = (
            SELECT frame_contract.payment_days FROM frame_call_off
            JOIN frame_contract ON frame_contract.id = frame_call_off.contract_id
            WHERE frame_call_off.order_id = "order".id)
        WHERE id IN (SELECT order_id FROM frame_call_off)''')
    accepted = '(SELECT max(business_date) FROM acceptance WHERE acceptance.order_id = "order".id)'
    for state, first_day, more in (('accepted', accepted, 0), ('shipped', 'delivery_day', 7)):
        day = (f"date({first_day}, '+' || (payment_days + {more}) || ' days')"
               if op.get_bind().dialect.name == 'sqlite' else f'{first_day} + (payment_days + {more})::integer')
        op.execute(f'UPDATE "order" SET pay_by = {day} WHERE state = \'{state}\' AND pay_by IS NULL')


def _allow_states(*states: str) -> None:
    words = ', '.join(f"'{state}'" for state in states)
    with op.batch_alter_table('payment_claim') as table:
        table.drop_constraint(op.f('ck_payment_claim_state'), type_='check')
        table.create_check_constraint(op.f('ck_payment_claim_state'), f'state IN ({words})')


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)
