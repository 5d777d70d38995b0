"""linkages; income by household: paid at weigh-in, taken back, paid out by category of goods"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
DECLARED = ('wage', 'land', 'dividend')


def _choice(name, *values):
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _one_of(*values):
    return 'kind IN (' + ', '.join(repr(value) for value in values) + ')'


def upgrade() -> None:
    op.create_table(
        'linkage',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=True),
        sa.Column('kind', _choice('kind', 'shareholding', 'direct_support', 'commissioned_support'), nullable=False),
        sa.Column('form', _choice('form', 'delivery', 'guaranteed_purchase', 'seed_supply', 'guidance', 'employment',
                                  'processing', 'land_rights', 'collective_share', 'other'), nullable=False),
        sa.Column('since', sa.Date(), nullable=False),
        sa.Column('until', sa.Date(), nullable=True),
        sa.Column('note', sa.String(length=200), nullable=False),
        sa.Column('bears_returns', sa.Boolean(), nullable=False),
        sa.Column('evidence_id', NUMBER, nullable=True),
        sa.Column('lot_id', NUMBER, nullable=True),
        sa.Column('delivery_key', sa.String(length=60), nullable=True),
        sa.Column('entered_by', NUMBER, nullable=True),
        sa.Column('entered_at', sa.DateTime(), nullable=False),
        sa.Column('confirmed_by', NUMBER, nullable=True),
        sa.Column('confirmed_at', sa.DateTime(), nullable=True),
        sa.Column('refused_at', sa.DateTime(), nullable=True),
        sa.Column('refusal', sa.String(length=200), nullable=False),
        sa.CheckConstraint("(form = 'delivery') = (delivery_key IS NOT NULL)", name=op.f('ck_linkage_delivery')),
        sa.CheckConstraint('NOT bears_returns OR household_id IS NULL', name=op.f('ck_linkage_bears')),
        sa.CheckConstraint('confirmed_by IS NULL OR confirmed_by <> entered_by', name=op.f('ck_linkage_second_person')),
        sa.CheckConstraint('until IS NULL OR until >= since', name=op.f('ck_linkage_time')),
        sa.ForeignKeyConstraint(['confirmed_by'], ['user.id'], name='fk_linkage_confirmed_by'),
        sa.ForeignKeyConstraint(['entered_by'], ['user.id'], name='fk_linkage_entered_by'),
        sa.ForeignKeyConstraint(['evidence_id'], ['stored_file.id'], name='fk_linkage_evidence_id'),
        sa.ForeignKeyConstraint(['household_id'], ['household.id'], name='fk_linkage_household_id'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_linkage_supplier_id'),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_linkage_village_id'),
        sa.PrimaryKeyConstraint('id', name='pk_linkage'),
        sa.UniqueConstraint('delivery_key', name='uq_linkage_delivery_key')
    )
    op.create_index('ix_linkage_household_id', 'linkage', ['household_id'])
    op.create_index('ix_linkage_pair', 'linkage', ['supplier_id', 'village_id'])
    op.create_index('ix_linkage_village_id', 'linkage', ['village_id'])
    op.create_table(
        'payout_share',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('payout_line_id', NUMBER, nullable=False),
        sa.Column('part', NUMBER, nullable=False),
        sa.Column('category', sa.Text(), nullable=True),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_payout_share_amount')),
        sa.ForeignKeyConstraint(['payout_line_id'], ['payout_line.id'], name='fk_payout_share_payout_line_id'),
        sa.PrimaryKeyConstraint('id', name='pk_payout_share'),
        sa.UniqueConstraint('payout_line_id', 'part', name='uq_payout_share_payout_line_id_part')
    )
    op.create_table(
        'lot_payment',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('contribution_id', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.Column('paid_on', sa.Date(), nullable=False),
        sa.Column('way', _choice('way', 'cash', 'bank', 'wechat', 'alipay', 'other'), nullable=False),
        sa.Column('proof_id', NUMBER, nullable=False),
        sa.Column('marked_by', NUMBER, nullable=False),
        sa.Column('marked_at', sa.DateTime(), nullable=False),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_lot_payment_amount')),
        sa.ForeignKeyConstraint(['contribution_id'], ['lot_contribution.id'], name='fk_lot_payment_contribution_id'),
        sa.ForeignKeyConstraint(['marked_by'], ['user.id'], name='fk_lot_payment_marked_by'),
        sa.ForeignKeyConstraint(['proof_id'], ['stored_file.id'], name='fk_lot_payment_proof_id'),
        sa.PrimaryKeyConstraint('id', name='pk_lot_payment'),
        sa.UniqueConstraint('contribution_id', name='uq_lot_payment_contribution_id')
    )
    op.create_table(
        'paid_at_weigh_in',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('acceptance_part_id', NUMBER, nullable=False),
        sa.Column('lot_payment_id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=False),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_paid_at_weigh_in_amount')),
        sa.ForeignKeyConstraint(['acceptance_part_id'], ['acceptance_part.id'],
                                name='fk_paid_at_weigh_in_acceptance_part_id'),
        sa.ForeignKeyConstraint(['household_id'], ['household.id'], name='fk_paid_at_weigh_in_household_id'),
        sa.ForeignKeyConstraint(['lot_payment_id'], ['lot_payment.id'], name='fk_paid_at_weigh_in_lot_payment_id'),
        sa.PrimaryKeyConstraint('id', name='pk_paid_at_weigh_in'),
        sa.UniqueConstraint('acceptance_part_id', 'lot_payment_id',
                            name='uq_paid_at_weigh_in_acceptance_part_id_lot_payment_id')
    )
    op.create_index('ix_paid_at_weigh_in_household_id', 'paid_at_weigh_in', ['household_id'])
    op.create_index('ix_paid_at_weigh_in_lot_payment_id', 'paid_at_weigh_in', ['lot_payment_id'])
    op.create_table(
        'return_share',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('return_part_id', NUMBER, nullable=False),
        sa.Column('household_id', NUMBER, nullable=True),
        sa.Column('amount_fen', NUMBER, nullable=False),
        sa.CheckConstraint('amount_fen > 0', name=op.f('ck_return_share_amount')),
        sa.ForeignKeyConstraint(['household_id'], ['household.id'], name='fk_return_share_household_id'),
        sa.ForeignKeyConstraint(['return_part_id'], ['return_part.id'], name='fk_return_share_return_part_id'),
        sa.PrimaryKeyConstraint('id', name='pk_return_share')
    )
    op.create_index('ix_return_share_household_id', 'return_share', ['household_id'])
    op.create_index('ix_return_share_return_part_id', 'return_share', ['return_part_id'])
    with op.batch_alter_table('acceptance_part') as table:
        for name in ('linkage_id', 'collective_linkage_id'):
            table.add_column(sa.Column(name, NUMBER, nullable=True))
            table.create_foreign_key(f'fk_acceptance_part_{name}', 'linkage', [name], ['id'])
        table.add_column(sa.Column('weigh_paid_fen', NUMBER, nullable=False, server_default='0'))
    with op.batch_alter_table('acceptance_part') as table:
        table.alter_column('weigh_paid_fen', server_default=None)
    with op.batch_alter_table('collective_agreement') as table:
        table.add_column(sa.Column('linkage_id', NUMBER, nullable=True))
        table.create_foreign_key('fk_collective_agreement_linkage_id', 'linkage', ['linkage_id'], ['id'])
    with op.batch_alter_table('income_declaration') as table:
        table.add_column(sa.Column('linkage_id', NUMBER, nullable=True))
        table.add_column(sa.Column('refused_by', NUMBER, nullable=True))
        table.add_column(sa.Column('refused_at', sa.DateTime(), nullable=True))
        table.add_column(sa.Column('refusal', sa.String(length=200), nullable=False, server_default=''))
        table.alter_column('household_id', existing_type=NUMBER, nullable=True)
        table.create_foreign_key('fk_income_declaration_linkage_id', 'linkage', ['linkage_id'], ['id'])
        table.create_foreign_key('fk_income_declaration_refused_by', 'user', ['refused_by'], ['id'])
        table.drop_constraint(op.f('ck_income_declaration_kind'), type_='check')
        table.create_check_constraint(op.f('ck_income_declaration_kind'), _one_of(*DECLARED, 'collective'))
        table.create_check_constraint(op.f('ck_income_declaration_receiver'),
                                      "(kind = 'collective') = (household_id IS NULL)")
        table.create_check_constraint(op.f('ck_income_declaration_one_end'),
                                      'refused_at IS NULL OR confirmed_at IS NULL')
    with op.batch_alter_table('income_declaration') as table:
        table.alter_column('refusal', server_default=None)
    # what was paid out, and taken back, before shares were kept
    op.execute('INSERT INTO payout_share (payout_line_id, part, category, amount_fen) '
               'SELECT id, 0, NULL, amount_fen FROM payout_line ORDER BY id')
    op.execute('INSERT INTO return_share (return_part_id, household_id, amount_fen) '
               'SELECT id, NULL, withdrawn_farm_gate_fen FROM return_part WHERE withdrawn_farm_gate_fen > 0 ORDER BY id')


def downgrade() -> None:
    op.execute("DELETE FROM income_declaration WHERE kind = 'collective'")
    with op.batch_alter_table('income_declaration') as table:
        for name in ('receiver', 'one_end', 'kind'):
            table.drop_constraint(op.f(f'ck_income_declaration_{name}'), type_='check')
        for name in ('linkage_id', 'refused_by'):
            table.drop_constraint(f'fk_income_declaration_{name}', type_='foreignkey')
    with op.batch_alter_table('income_declaration') as table:
        table.create_check_constraint(op.f('ck_income_declaration_kind'), _one_of(*DECLARED))
        table.alter_column('household_id', existing_type=NUMBER, nullable=False)
        for name in ('linkage_id', 'refused_by', 'refused_at', 'refusal'):
            table.drop_column(name)
    for table_name, names in (('collective_agreement', ('linkage_id',)),
                              ('acceptance_part', ('linkage_id', 'collective_linkage_id'))):
        with op.batch_alter_table(table_name) as table:
            for name in names:
                table.drop_constraint(f'fk_{table_name}_{name}', type_='foreignkey')
                table.drop_column(name)
    with op.batch_alter_table('acceptance_part') as table:
        table.drop_column('weigh_paid_fen')
    for name in ('return_share', 'paid_at_weigh_in', 'lot_payment', 'payout_share', 'linkage'):
        op.drop_table(name)
