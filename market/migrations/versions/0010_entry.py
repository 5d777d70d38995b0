"""applications of suppliers, their steps, how suppliers stand; the role of an applicant"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
CLAIMS = sa.text("state IN ('submitted', 'returned', 'admitted')")
OPEN = sa.text('decision IS NULL')
OLD_STATUS, NEW_STATUS = ('active', 'suspended'), ('active', 'suspended', 'applying', 'left')
OLD_ROLES = ('requester', 'approver', 'receiver', 'finance', 'clerk', 'village_officer', 'township_officer', 'official',
             'auditor', 'operator_system', 'operator_security', 'operator_audit', 'manager')
NEW_ROLES = tuple(role for one in OLD_ROLES for role in ((one, 'applicant') if one == 'clerk' else (one,)))


def words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def allow(table: str, column: str, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Other words in a column that the database checks.

    SQLite cannot change a check, and rebuilding a table that others point to would break their foreign keys. So its
    text is changed in place, as https://sqlite.org/lang_altertable.html describes for checks.
    """
    was, will = (f"{column} IN ({', '.join(repr(word) for word in several)})" for several in (before, after))
    if op.get_bind().dialect.name == 'postgresql':
        op.drop_constraint(op.f(f'ck_{table}_{column}'), table, type_='check')
        op.create_check_constraint(op.f(f'ck_{table}_{column}'), table, will)
        return
    run = op.get_bind().exec_driver_sql
    version = run('PRAGMA schema_version').scalar()
    run('PRAGMA writable_schema=ON')
    changed = run("UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ? "
                  "AND instr(sql, ?) > 0", (was, will, table, was)).rowcount
    run(f'PRAGMA schema_version={version + 1}')
    run('PRAGMA writable_schema=OFF')
    if changed != 1:
        raise RuntimeError(f'{table}.{column} is not checked as expected')


def upgrade() -> None:
    allow('organisation', 'status', OLD_STATUS, NEW_STATUS)
    allow('membership', 'role', OLD_ROLES, NEW_ROLES)
    op.create_table(
        'supplier_application',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('applicant_id', NUMBER, nullable=False),
        sa.Column('registration_token', sa.String(length=80), nullable=True),
        sa.Column('state', words('state', 'draft', 'submitted', 'returned', 'withdrawn', 'refused', 'admitted'),
                  nullable=False),
        sa.Column('supplier_type', words('supplier_type', 'cooperative', 'family_farm', 'enterprise', 'trader'),
                  nullable=True),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('short_name', sa.Text(), nullable=False),
        sa.Column('credit_code', sa.String(length=18), nullable=True),
        sa.Column('village_id', NUMBER, nullable=True),
        sa.Column('legal_person', sa.Text(), nullable=False),
        sa.Column('mobile', sa.String(length=11), nullable=False),
        sa.Column('bank_name', sa.Text(), nullable=False),
        sa.Column('bank_account', sa.Text(), nullable=False),
        sa.Column('capacity', sa.Text(), nullable=False),
        sa.Column('producer_name', sa.Text(), nullable=False),
        sa.Column('markup_points', NUMBER, nullable=True),
        sa.Column('proof_kind', words('proof_kind', 'platform_832', 'certified'), nullable=True),
        sa.Column('proof_no', sa.Text(), nullable=False),
        sa.Column('created_at', sa.DateTime(), nullable=False),
        sa.Column('submitted_at', sa.DateTime(), nullable=True),
        sa.CheckConstraint('markup_points BETWEEN 0 AND 10000', name=op.f('ck_supplier_application_markup')),
        sa.ForeignKeyConstraint(['applicant_id'], ['user.id'], name='fk_supplier_application_applicant_id'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_supplier_application_supplier_id'),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_supplier_application_village_id'),
        sa.PrimaryKeyConstraint('id', name='pk_supplier_application'),
        sa.UniqueConstraint('registration_token', name='uq_supplier_application_registration_token'),
        sa.UniqueConstraint('supplier_id', name='uq_supplier_application_supplier_id'),
    )
    op.create_index('ix_supplier_application_village_id', 'supplier_application', ['village_id'])
    op.create_index('uq_supplier_application_code', 'supplier_application', ['credit_code'], unique=True,
        sqlite_where=CLAIMS, postgresql_where=CLAIMS)
    op.create_table(
        'supplier_standing',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('supplier_id', NUMBER, nullable=False),
        sa.Column('status', words('status', 'active', 'suspended', 'left'), nullable=False),
        sa.Column('from_day', sa.Date(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=False),
        sa.Column('applied_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_supplier_standing_decided_by'),
        sa.ForeignKeyConstraint(['supplier_id'], ['organisation.id'], name='fk_supplier_standing_supplier_id'),
        sa.PrimaryKeyConstraint('id', name='pk_supplier_standing'),
    )
    op.create_index('ix_supplier_standing_supplier_id', 'supplier_standing', ['supplier_id'])
    op.create_table(
        'application_good',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('application_id', NUMBER, nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('category_id', NUMBER, nullable=False),
        sa.Column('harvest_months', sa.String(length=40), nullable=False),
        sa.Column('yearly_grams', NUMBER, nullable=False),
        sa.CheckConstraint('yearly_grams > 0', name=op.f('ck_application_good_yearly')),
        sa.ForeignKeyConstraint(['application_id'], ['supplier_application.id'],
            name='fk_application_good_application_id'),
        sa.ForeignKeyConstraint(['category_id'], ['category.id'], name='fk_application_good_category_id'),
        sa.PrimaryKeyConstraint('id', name='pk_application_good'),
    )
    op.create_index('ix_application_good_application_id', 'application_good', ['application_id'])
    op.create_table(
        'application_linkage',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('application_id', NUMBER, nullable=False),
        sa.Column('kind', words('kind', 'shareholding', 'direct_support', 'commissioned_support', 'seed_supply',
            'guidance', 'buy_back', 'employment', 'processing', 'land_lease', 'other'), nullable=False),
        sa.Column('households', NUMBER, nullable=False),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.CheckConstraint('households > 0', name=op.f('ck_application_linkage_households')),
        sa.ForeignKeyConstraint(['application_id'], ['supplier_application.id'],
            name='fk_application_linkage_application_id'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_application_linkage_file_id'),
        sa.PrimaryKeyConstraint('id', name='pk_application_linkage'),
    )
    op.create_index('ix_application_linkage_application_id', 'application_linkage', ['application_id'])
    op.create_table(
        'application_paper',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('application_id', NUMBER, nullable=False),
        sa.Column('kind', words('kind', 'licence', 'capacity', 'product_certificate', 'other', 'proof',
            'commission_letter'), nullable=False),
        sa.Column('file_id', NUMBER, nullable=False),
        sa.Column('added_at', sa.DateTime(), nullable=False),
        sa.Column('removed_at', sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(['application_id'], ['supplier_application.id'],
            name='fk_application_paper_application_id'),
        sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name='fk_application_paper_file_id'),
        sa.PrimaryKeyConstraint('id', name='pk_application_paper'),
    )
    op.create_index('ix_application_paper_application_id', 'application_paper', ['application_id'])
    op.create_table(
        'entry_step',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('application_id', NUMBER, nullable=False),
        sa.Column('step', words('step', 'township', 'agriculture', 'revitalisation', 'confirmation', 'platform'),
                  nullable=False),
        sa.Column('office_id', NUMBER, nullable=False),
        sa.Column('opened_at', sa.DateTime(), nullable=False),
        sa.Column('due_on', sa.Date(), nullable=False),
        sa.Column('decision', words('decision', 'passed', 'returned', 'refused', 'set_aside'), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('decided_by', NUMBER, nullable=True),
        sa.Column('decided_at', sa.DateTime(), nullable=True),
        sa.Column('content_hash', sa.String(length=64), nullable=False),
        sa.CheckConstraint('(decision IS NULL) = (decided_at IS NULL)', name=op.f('ck_entry_step_decided')),
        sa.ForeignKeyConstraint(['application_id'], ['supplier_application.id'], name='fk_entry_step_application_id'),
        sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name='fk_entry_step_decided_by'),
        sa.ForeignKeyConstraint(['office_id'], ['organisation.id'], name='fk_entry_step_office_id'),
        sa.PrimaryKeyConstraint('id', name='pk_entry_step'),
    )
    op.create_index('ix_entry_step_application_id', 'entry_step', ['application_id'])
    op.create_index('ix_entry_step_office', 'entry_step', ['office_id'], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index('uq_entry_step_open', 'entry_step', ['application_id', 'step'], unique=True,
        sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        'application_good_village',
        sa.Column('id', NUMBER, nullable=False),
        sa.Column('good_id', NUMBER, nullable=False),
        sa.Column('village_id', NUMBER, nullable=False),
        sa.ForeignKeyConstraint(['good_id'], ['application_good.id'], name='fk_application_good_village_good_id'),
        sa.ForeignKeyConstraint(['village_id'], ['division.id'], name='fk_application_good_village_village_id'),
        sa.PrimaryKeyConstraint('id', name='pk_application_good_village'),
        sa.UniqueConstraint('good_id', 'village_id', name='uq_application_good_village_good_id_village_id'),
    )


def downgrade() -> None:
    for table in ('application_good_village', 'entry_step', 'application_paper', 'application_linkage',
                  'application_good', 'supplier_standing', 'supplier_application'):
        op.drop_table(table)
    op.execute("DELETE FROM membership WHERE role = 'applicant'")
    op.execute("UPDATE organisation SET status = 'suspended' WHERE status IN ('applying', 'left')")
    allow('membership', 'role', NEW_ROLES, OLD_ROLES)
    allow('organisation', 'status', NEW_STATUS, OLD_STATUS)
