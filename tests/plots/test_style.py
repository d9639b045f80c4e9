from dynlab.plots import style


def test_recordings_beside_one_another_look_different():
    known = ("gsm_symbolic · a", "family_relationships · a", "capitals · b", "french · c")
    own = [f"mine {number}" for number in range(4)]
    for names in ((*known, *own), (*own, *known)):
        looks = style.recording_looks(names)
        assert [*looks] == [*names]
        assert len({look.colour for look in looks.values()}) == len(names)
        assert all(look.label == name for name, look in looks.items())
