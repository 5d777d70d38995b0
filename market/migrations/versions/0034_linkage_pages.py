"""declared income: the same payment twice, withdrawn, taken back; shares proposed to collectives"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
WAITS = sa.text('confirmed_at IS NULL AND refused_at IS NULL')
OPEN = sa.text('confirmed_at IS NULL AND refused_at IS NULL AND withdrawn_at IS NULL')


def _people(table, *names):
    return [sa.ForeignKeyConstraint([name], ['user.id'], name=f'fk_{table}_{name}') for name in names]


def upgrade() -> None:
    with op.batch_alter_table('income_declaration') as table:
        table.add_column(sa.Column('withdrawn_at', sa.DateTime(), nullable=True))
        table.add_column(sa.Column('twin_key', sa.String(length=160), nullable=True))
        table.create_check_constraint(op.f('ck_income_declaration_withdrawn'),
                                      'withdrawn_at IS NULL OR (confirmed_at IS NULL AND refused_at IS NULL)')
        table.create_unique_constraint('uq_income_declaration_twin_key', ['twin_key'])
    op.create_table(
        'income_correction',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('declaration_id', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('reason', sa.String(length=200), nullable=False),
        sa.Column('asked_by', NUMBER, nullable=False),
        sa.Column('asked_at', sa.DateTime(), nullable=False),
        sa.Column('confirmed_by', NUMBER, nullable=True),
        sa.Column('confirmed_at', sa.DateTime(), nullable=True),
        sa.Column('business_date', sa.Date(), nullable=True),
        sa.Column('refused_by', NUMBER, nullable=True),
        sa.Column('refused_at', sa.DateTime(), nullable=True),
        sa.Column('refusal', sa.String(length=200), nullable=False),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_income_correction_amount')),
        sa.CheckConstraint('confirmed_by IS NULL OR confirmed_by <> asked_by',
                           name=op.f('ck_income_correction_second_person')),
        sa.CheckConstraint('refused_at IS NULL OR confirmed_at IS NULL', name=op.f('ck_income_correction_one_end')),
        sa.CheckConstraint('(confirmed_at IS NULL) = (business_date IS NULL)',
                           name=op.f('ck_income_correction_dated')),
        sa.ForeignKeyConstraint(['declaration_id'], ['income_declaration.id'],
                                name='fk_income_correction_declaration_id'),
        *_people('income_correction', 'asked_by', 'confirmed_by', 'refused_by'),
        sa.PrimaryKeyConstraint('id', name='pk_income_correction')
    )
    op.create_index('ix_income_correction_declaration_id', 'income_correction', ['declaration_id'])
    op.create_index('uq_income_correction_waiting', 'income_correction', ['declaration_id'], unique=True,
                    sqlite_where=WAITS, postgresql_where=WAITS)
    op.create_table(
        'collective_proposal',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('basis_points', NUMBER, nullable=False),
        sa.Column('valid_from', sa.Date(), nullable=False),
        sa.Column('decision_no', sa.String(length=60), nullable=False),
        sa.Column('evidence_id', NUMBER, nullable=False),
        sa.Column('proposed_by', NUMBER, nullable=False),
        sa.Column('proposed_at', sa.DateTime(), nullable=False),
        sa.Column('confirmed_by', NUMBER, nullable=True),
        sa.Column('confirmed_at', sa.DateTime(), nullable=True),
        sa.Column('agreement_id', NUMBER, nullable=True),
        sa.Column('refused_by', NUMBER, nullable=True),
        sa.Column('refused_at', sa.DateTime(), nullable=True),
        sa.Column('refusal', sa.String(length=200), nullable=False),
        sa.Column('withdrawn_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('basis_points BETWEEN 0 AND 5000', name=op.f('ck_collective_proposal_points')),
        sa.CheckConstraint('confirmed_by IS NULL OR confirmed_by <> proposed_by',
                           name=op.f('ck_collective_proposal_second_person')),
        sa.CheckConstraint('(confirmed_at IS NULL) = (agreement_id IS NULL)',
                           name=op.f('ck_collective_proposal_agreed')),
        sa.ForeignKeyConstraint(['agreement_id'], ['collective_agreement.id'],
                                name='fk_collective_proposal_agreement_id'),
        sa.ForeignKeyConstraint(['evidence_id'], ['stored_file.id'], name='fk_collective_proposal_evidence_id'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_collective_proposal_supplier_id'),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_collective_proposal_village_id'),
        *_people('collective_proposal', 'proposed_by', 'confirmed_by', 'refused_by'),
        sa.PrimaryKeyConstraint('id', name='pk_collective_proposal')
    )
    for name in ('supplier_id', 'village_id'):
        op.create_index(f'ix_collective_proposal_{name}', 'collective_proposal', [name])
    op.create_index('uq_collective_proposal_open', 'collective_proposal', ['supplier_id', 'village_id'], unique=True,
                    sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_table('collective_proposal')
    op.drop_table('income_correction')
    with op.batch_alter_table('income_declaration') as table:
        table.drop_constraint('uq_income_declaration_twin_key', type_='unique')
        table.drop_constraint(op.f('ck_income_declaration_withdrawn'), type_='check')
        for name in ('withdrawn_at', 'twin_key'):
            table.drop_column(name)
