"""collective income: declared other income, decisions, rules by area; risk signals from trade and who handles them"""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
RISKS = ('fallen', 'stopped', 'unpaid', 'weak')
IS_WAITING = sa.text('confirmed_at IS NULL AND refused_at IS NULL')


def _choice(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _to(table, column, target):
    return sa.ForeignKeyConstraint([column], [target], name=f'fk_{table}_{column}')


def upgrade() -> None:
    op.create_table(
        'other_income',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('kind', _choice('kind', 'trading', 'contract', 'investment', 'other'), nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('note', sa.String(length=200), nullable=False),
        sa.Column('corrects_id', NUMBER, nullable=True),
        sa.Column('evidence_id', NUMBER, nullable=False),
        sa.Column('business_date', sa.Date(), nullable=False),
        sa.Column('declared_by', NUMBER, nullable=False),
        sa.Column('declared_at', sa.DateTime(), nullable=False),
        sa.Column('confirmed_by', NUMBER, nullable=True),
        sa.Column('confirmed_at', sa.DateTime(), nullable=True),
        sa.Column('refused_by', NUMBER, nullable=True),
        sa.Column('refused_at', sa.DateTime(), nullable=True),
        sa.Column('refusal', sa.String(length=200), nullable=False),
        sa.CheckConstraint('year BETWEEN 2015 AND 2099', name=op.f('ck_other_income_year')),
        sa.CheckConstraint('amount_fen >= 0 OR corrects_id IS NOT NULL', name=op.f('ck_other_income_amount')),
        sa.CheckConstraint('confirmed_by IS NULL OR confirmed_by <> declared_by',
                           name=op.f('ck_other_income_second_person')),
        sa.CheckConstraint('refused_by IS NULL OR refused_by <> declared_by', name=op.f('ck_other_income_refuser')),
        sa.CheckConstraint('refused_at IS NULL OR confirmed_at IS NULL', name=op.f('ck_other_income_one_end')),
        _to('other_income', 'village_id', 'division.id'), _to('other_income', 'corrects_id', 'other_income.id'),
        _to('other_income', 'evidence_id', 'stored_file.id'), _to('other_income', 'declared_by', 'user.id'),
        _to('other_income', 'confirmed_by', 'user.id'), _to('other_income', 'refused_by', 'user.id'),
        sa.PrimaryKeyConstraint('id', name='pk_other_income')
    )
    op.create_index('ix_other_income_village_year', 'other_income', ['village_id', 'year'])
    op.create_index('uq_other_income_waiting_correction', 'other_income', ['corrects_id'], unique=True,
                    sqlite_where=IS_WAITING, postgresql_where=IS_WAITING)
    op.create_table(
        'collective_decision',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('year', NUMBER, nullable=False),
        sa.Column('number', sa.String(length=60), nullable=False),
        sa.Column('decided_on', sa.Date(), nullable=False),
        sa.Column('entered_by', NUMBER, nullable=False),
        sa.Column('entered_at', sa.DateTime(), nullable=False),
        _to('collective_decision', 'village_id', 'division.id'), _to('collective_decision', 'entered_by', 'user.id'),
        sa.PrimaryKeyConstraint('id', name='pk_collective_decision')
    )
    op.create_index('ix_collective_decision_village_year', 'collective_decision', ['village_id', 'year'])
    op.create_table(
        'area_rule',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('name', _choice('name', 'reward_ratio', 'fallen_share', 'stopped_months', 'unpaid_days'),
                  nullable=False),
        sa.Column('division_id', NUMBER, nullable=False),
        sa.Column('since', sa.Date(), nullable=False),
        sa.Column('value', NUMBER, nullable=False),
        sa.Column('document', sa.String(length=200), nullable=False),
        sa.Column('entered_by', NUMBER, nullable=False),
        sa.Column('entered_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('value > 0', name=op.f('ck_area_rule_value')),
        _to('area_rule', 'division_id', 'division.id'), _to('area_rule', 'entered_by', 'user.id'),
        sa.PrimaryKeyConstraint('id', name='pk_area_rule')
    )
    op.create_index('ix_area_rule_name', 'area_rule', ['name', 'since'])
    op.create_table(
        'risk_case',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('kind', _choice('kind', *RISKS), nullable=False),
        sa.Column('subject', sa.String(length=40), nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=True),
        sa.Column('state', _choice('state', 'open', 'closing', 'closed'), nullable=False),
        sa.Column('opened_on', sa.Date(), nullable=False),
        sa.Column('reopened_on', sa.Date(), nullable=True),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('told_for', sa.Date(), nullable=True),
        sa.Column('handler_id', NUMBER, nullable=True),
        sa.Column('office_id', NUMBER, nullable=True),
        sa.Column('measures', sa.String(length=1000), nullable=False),
        sa.Column('outcome', sa.String(length=400), nullable=False),
        sa.Column('closing_by', NUMBER, nullable=True),
        sa.Column('closed_by', NUMBER, nullable=True),
        sa.Column('closed_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('closed_by IS NULL OR closed_by <> closing_by', name=op.f('ck_risk_case_second_person')),
        sa.CheckConstraint("(state = 'open') = (closing_by IS NULL)", name=op.f('ck_risk_case_closing')),
        sa.CheckConstraint("(state = 'closed') = (closed_by IS NOT NULL)", name=op.f('ck_risk_case_closed')),
        _to('risk_case', 'village_id', 'division.id'), _to('risk_case', 'household_id', 'household.id'),
        _to('risk_case', 'handler_id', 'user.id'), _to('risk_case', 'office_id', 'organisation.id'),
        _to('risk_case', 'closing_by', 'user.id'), _to('risk_case', 'closed_by', 'user.id'),
        sa.PrimaryKeyConstraint('id', name='pk_risk_case'),
        sa.UniqueConstraint('kind', 'subject', name='uq_risk_case_kind_subject')
    )
    op.create_index('ix_risk_case_household_id', 'risk_case', ['household_id'])
    op.create_index('ix_risk_case_village', 'risk_case', ['village_id', 'state'])
    op.create_index('ix_risk_case_due', 'risk_case', ['state', 'due_on'])
    op.create_table(
        'risk_signal',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('case_id', NUMBER, nullable=False),
        sa.Column('kind', _choice('kind', *RISKS), nullable=False),
        sa.Column('subject', sa.String(length=40), nullable=False),
        sa.Column('period', sa.String(length=7), nullable=False),
        sa.Column('now_fen', NUMBER, nullable=False),
        sa.Column('before_fen', NUMBER, nullable=False),
        sa.Column('first_month', sa.String(length=7), nullable=False),
        sa.Column('last_month', sa.String(length=7), nullable=False),
        sa.Column('found_on', sa.Date(), nullable=False),
        _to('risk_signal', 'case_id', 'risk_case.id'),
        sa.PrimaryKeyConstraint('id', name='pk_risk_signal'),
        sa.UniqueConstraint('kind', 'subject', 'period', name='uq_risk_signal_kind_subject_period')
    )
    op.create_index('ix_risk_signal_case_id', 'risk_signal', ['case_id'])


def downgrade() -> None:
    for name in ('risk_signal', 'risk_case', 'area_rule', 'collective_decision', 'other_income'):
        op.drop_table(name)
