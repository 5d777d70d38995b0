"""households' bank accounts, payment runs and their lines"""

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _choice(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _foreign(table, **columns):
    return [sa.ForeignKeyConstraint([column], [target], name=f'fk_{table}_{column}')
            for column, target in columns.items()]


def upgrade() -> None:
    op.create_table(
        'household_account',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=False),
        sa.Column('holder', sa.String(length=40), nullable=False),
        sa.Column('bank', sa.String(length=60), nullable=False),
        sa.Column('number', sa.String(length=32), nullable=False),
        sa.Column('state', _choice('state', 'waiting', 'current', 'former', 'refused'), nullable=False),
        sa.Column('entered_by', NUMBER, nullable=False),
        sa.Column('entered_at', sa.DateTime(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('decided_by IS NULL OR decided_by <> entered_by',
                           name=op.f('ck_household_account_second_person')),
        sa.CheckConstraint("(decided_by IS NULL) = (state = 'waiting')", name=op.f('ck_household_account_decided')),
        *_foreign('household_account', decided_by='user.id', entered_by='user.id', household_id='household.id',
                  supplier_id='organisation.id'),
        sa.PrimaryKeyConstraint('id', name='pk_household_account')
    )
    op.create_index('ix_household_account_household_id', 'household_account', ['household_id'])
    for state in ('current', 'waiting'):
        op.create_index(f'uq_household_account_{state}', 'household_account', ['supplier_id', 'household_id'],
                        unique=True, sqlite_where=sa.text(f"state = '{state}'"),
                        postgresql_where=sa.text(f"state = '{state}'"))
    op.create_table(
        'payout_run',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=24), nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('note', sa.String(length=200), nullable=False),
        sa.Column('built_by', NUMBER, nullable=False),
        sa.Column('built_at', sa.DateTime(), nullable=False),
        sa.Column('approved_by', NUMBER, nullable=True),
        sa.Column('approved_at', sa.DateTime(), nullable=True),
        sa.Column('exported_at', sa.DateTime(), nullable=True),
        sa.Column('cancelled_by', NUMBER, nullable=True),
        sa.Column('cancelled_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('approved_by IS NULL OR approved_by <> built_by', name=op.f('ck_payout_run_second_person')),
        sa.CheckConstraint('cancelled_at IS NULL OR exported_at IS NULL', name=op.f('ck_payout_run_one_end')),
        sa.CheckConstraint('exported_at IS NULL OR approved_at IS NOT NULL', name=op.f('ck_payout_run_order')),
        *_foreign('payout_run', approved_by='user.id', built_by='user.id', cancelled_by='user.id',
                  supplier_id='organisation.id'),
        sa.PrimaryKeyConstraint('id', name='pk_payout_run'),
        sa.UniqueConstraint('number', name='uq_payout_run_number')
    )
    op.create_index('ix_payout_run_supplier_id', 'payout_run', ['supplier_id'])
    op.create_table(
        'payout_run_line',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('run_id', NUMBER, nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=True),
        sa.Column('income_kind', _choice('income_kind', 'farm_gate', 'wage', 'land', 'dividend', 'collective'),
                  nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('way', _choice('way', 'bank', 'cash', 'other'), nullable=False),
        sa.Column('account_id', NUMBER, nullable=True),
        sa.Column('state', _choice('state', 'open', 'paid', 'disputed', 'failed', 'confirmed', 'cancelled'),
                  nullable=False),
        sa.Column('paid_on', sa.Date(), nullable=True),
        sa.Column('proof_id', NUMBER, nullable=True),
        sa.Column('failure', _choice('failure', 'wrong_account', 'returned', 'not_sent', 'other'), nullable=True),
        sa.Column('note', sa.String(length=200), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('payout_line_id', NUMBER, nullable=True),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_payout_run_line_amount')),
        sa.CheckConstraint("(income_kind = 'collective') = (household_id IS NULL)",
                           name=op.f('ck_payout_run_line_receiver')),
        sa.CheckConstraint("state NOT IN ('paid', 'disputed', 'confirmed') OR (paid_on IS NOT NULL AND "
                           "proof_id IS NOT NULL)", name=op.f('ck_payout_run_line_proof')),
        sa.CheckConstraint("(state = 'confirmed') = (payout_line_id IS NOT NULL)",
                           name=op.f('ck_payout_run_line_booked')),
        *_foreign('payout_run_line', account_id='household_account.id', decided_by='user.id',
                  household_id='household.id', payout_line_id='payout_line.id', proof_id='stored_file.id',
                  run_id='payout_run.id', village_id='division.id'),
        sa.PrimaryKeyConstraint('id', name='pk_payout_run_line'),
        sa.UniqueConstraint('payout_line_id', name='uq_payout_run_line_payout_line_id')
    )
    op.create_index('ix_payout_run_line_household_id', 'payout_run_line', ['household_id'])
    op.create_index('ix_payout_run_line_run_id', 'payout_run_line', ['run_id'])
    op.create_index('ix_payout_run_line_state', 'payout_run_line', ['village_id', 'state'])


def downgrade() -> None:
    for name in ('payout_run_line', 'payout_run', 'household_account'):
        op.drop_table(name)
