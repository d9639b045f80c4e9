from dynlab.plots import style


def test_recordings_beside_one_another_look_different():
    known = ("gsm_symbolic · a", "countdown · a", "prime_factorization · a", "french · c")
    own = [f"mine {number}" for number in range(4)]
    for names in ((*known, *own), (*own, *known)):
        looks = style.recording_looks(names)
        assert [*looks] == [*names]
        assert len({look.colour for look in looks.values()}) == len(names)
        assert all(look.label == name for name, look in looks.items())


def test_more_recordings_than_colours_still_look_different():
    looks = style.recording_looks(["gsm_symbolic · a", *(f"mine {at}" for at in range(12))])
    assert len({(look.colour, look.marker) for look in looks.values()}) == 13
