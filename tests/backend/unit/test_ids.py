from amply.kernel import ids


def test_ids_sort_by_creation() -> None:
    made = [ids.new_id("don") for _ in range(1000)]

    assert sorted(made) == made
    assert len(set(made)) == len(made)


def test_an_id_is_recognised_by_its_prefix_and_shape() -> None:
    made = ids.new_id("org")

    assert ids.is_id(made, prefix="org")
    assert not ids.is_id(made, prefix="don")
    assert not ids.is_id(made + "x", prefix="org")
    assert not ids.is_id("org_" + "u" * 26, prefix="org"), "u is not in the alphabet"


def test_a_random_id_has_the_shape_and_does_not_tell_when_it_was_made() -> None:
    made = [ids.new_random_id("ent") for _ in range(1000)]

    assert all(ids.is_id(each, prefix="ent") for each in made)
    assert len(set(made)) == len(made)
    assert sorted(made) != made
    assert len({each[4:8] for each in made}) > 900, "the first 20 bits of a UUIDv7 stay for months"
