import numpy as np
import pytest

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import records, seed_folder


class TestSeedFolder:
    @pytest.fixture
    def save(self, tmp_path):
        def save(lrs, losses):
            np.save(tmp_path / "lrs.npy", lrs)
            np.save(tmp_path / "losses.npy", losses)
            return tmp_path

        return save

    def test_exponents_and_inflated_losses_are_undone(self, save):
        """Saved after an exponential sweep: log10 of the rates; losses divided by 1 - 0.98^t."""
        lrs, losses = np.geomspace(1e-5, 10, 50), np.linspace(2.38, 1, 50)
        steps = np.arange(1, 51)
        folder = save(np.log10(lrs), losses / (1 - 0.98**steps))
        record = records.read_record(folder)
        assert (record.kind, record.label) == ("find-lr", folder.name)
        (curve,) = record.curves()
        np.testing.assert_allclose(curve.lrs, lrs, rtol=1e-12)
        np.testing.assert_allclose(curve.losses, losses, rtol=1e-12)

    @pytest.mark.parametrize("low", [0.002, 0.0])
    def test_rates_of_a_linear_sweep_stay(self, save, low):
        lrs = np.linspace(low, 0.02, 50)
        assert seed_folder.read_seed_folder(save(lrs, np.ones(50))).lrs == lrs.tolist()

    def test_the_first_loss_was_fifty_times_too_large(self, save):
        assert seed_folder.read_seed_folder(save([0.1], [118.9])).losses == pytest.approx([2.378])

    @pytest.mark.parametrize(
        ("lrs", "losses", "sentence"),
        [
            ([1, 2], [1], r"lists of the same length; got \(2,\) and \(1,\)"),
            ([], [], "lists of the same length"),
            ([[1]], [[1]], "lists of the same length"),
            (1.0, 1.0, "lists of the same length"),
            ([np.nan, 1], [1, 1], "lrs.npy: holds numbers that are no learning rates"),
            ([-1, 400], [1, 1], "lrs.npy: holds numbers that are no learning rates"),
            ([1, np.inf], [1, 1], "lrs.npy: holds numbers that are no learning rates"),
            (["a"], [1], "lrs.npy: cannot be read as a list of numbers"),
            ([1], np.array([None]), "losses.npy: cannot be read as a list of numbers"),
        ],
    )
    def test_damage(self, save, lrs, losses, sentence):
        with pytest.raises(ResultError, match=sentence):
            records.read_record(save(lrs, losses))

    @pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"text", b"PK\x03\x04"])
    def test_a_file_that_is_not_of_numpy(self, save, content):
        folder = save([1], [1])
        (folder / "losses.npy").write_bytes(content)
        with pytest.raises(ResultError, match=r"losses.npy: cannot be read as a list of numbers"):
            records.read_record(folder)

    def test_one_file_is_missing(self, save):
        folder = save([1], [1])
        (folder / "lrs.npy").unlink()
        with pytest.raises(ResultError, match=r"lrs.npy: is missing"):
            records.read_record(folder)
