"""Tables as cards: each figure carries its column's name, and nothing that was said is changed."""

from market.table_cards import with_labels

HEAD = ('<thead><tr><th scope="col">Goods</th><th scope="col"><a href="?sort=2">In "store"</a></th><th>Day</th>'
        "</tr></thead>")


def test_figures_carry_the_name_of_their_column() -> None:
    found = with_labels(HEAD + '<tbody><tr class="is-quiet"><th scope="row"><a href="/1">白菜</a></th>'
                        '<td class="num">5&nbsp;斤</td><td>\n</td></tr></tbody>')
    assert '<tr role="row" class="is-quiet">' in found
    assert '<th scope="row" role="rowheader"><a href="/1">白菜</a></th>' in found
    assert '<td class="num" role="cell" data-label="In &quot;store&quot;"><div class="cell">5&nbsp;斤</div>' in found
    assert '<td role="cell" data-label="Day"></td>' in found
    assert found.startswith(HEAD)


def test_a_cell_over_several_columns_has_no_name_and_moves_the_others_on() -> None:
    found = with_labels(HEAD + '<tfoot><tr><td colspan="2">Together</td><td>9</td></tr></tfoot>')
    assert '<td colspan="2" role="cell" data-label=""><div class="cell">Together</div></td>' in found
    assert 'data-label="Day"><div class="cell">9</div>' in found


def test_without_a_head_or_with_more_cells_than_columns_nothing_breaks() -> None:
    assert with_labels("<tr><td>1</td></tr>") == "<tr><td>1</td></tr>"
    assert 'data-label=""' in with_labels("<thead><tr><th>A</th></tr></thead><tr><td>1</td><td>2</td></tr>")
