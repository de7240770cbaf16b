package org.pikv4j.calibration;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;

/**
 * Fits bases to a model: lets it read a text, sums up what its attention does, and solves for the bases, layer by layer. Of the text
 * itself only moments stay, (headDim)² numbers for each head's queries, keys, values and outputs; distillation alone keeps queries
 * and keys of some tokens. Equal texts give equal bases, whatever the number of threads.
 *
 * <p>For one thread at a time; {@link #cancel} may be called by any.
 */
public final class Calibrator {
    /** Tokens whose queries and keys are kept for distillation. */
    private static final int SAMPLE = 512;

    private final Engine engine;
    private final CalibrationListener listener;
    private volatile boolean cancelled;
    private volatile @Nullable Session reading;

    /**
     * @param engine runs the model; its cache should be exact, so that bases are fitted to what the model itself does
     * @param listener hears of the progress
     */
    public Calibrator(Engine engine, CalibrationListener listener) {
        this.engine = engine;
        this.listener = listener;
    }

    /**
     * @param ids a text; in pieces where it is longer than the model's positions
     * @param methods how to fit; none to learn only what heads lose
     * @param ranks the rank of each layer
     * @return the bases, and what they keep
     * @throws InvalidOptionException if a rank is not possible, or the text is too short
     * @throws ModelFormatException if the model's keys or values are not finite
     * @throws CancellationException after {@link #cancel}
     */
    public CalibrationReport calibrate(int[] ids, Collection<CalibrationMethod> methods, RankChoice ranks) {
        ModelConfig config = engine.model().config();
        EnumSet<CalibrationMethod> chosen = EnumSet.noneOf(CalibrationMethod.class);
        chosen.addAll(methods);
        ranks.check(config);
        check(ids, config);
        boolean sampled = chosen.contains(CalibrationMethod.DISTILL);
        AttentionStatistics statistics =
                new AttentionStatistics(config, Math.min(ids.length, config.maxPositions()), sampled ? SAMPLE : 0);
        read(ids, statistics);
        checkFinite(statistics);
        return fit(statistics, chosen, ranks, ids.length);
    }

    /** Ends the calibration under way, from any thread. */
    public void cancel() {
        cancelled = true;
        Session session = reading;
        if (session != null) {
            session.cancel();
        }
    }

    private static void check(int[] ids, ModelConfig config) {
        int widest = config.layers().stream()
                .mapToInt(layer -> layer.attention().headDim())
                .max()
                .orElse(0);
        if (ids.length < widest) {
            throw new InvalidOptionException("a text of " + ids.length + " tokens is too short to calibrate heads of "
                    + widest + ": take a few thousand");
        }
    }

    private void read(int[] ids, AttentionStatistics statistics) {
        int piece = engine.model().config().maxPositions();
        int layers = engine.model().config().layers().size();
        for (int from = 0; from < ids.length; from += piece) {
            int[] tokens = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + piece));
            int before = from;
            try (Session session = engine.openSession()) {
                reading = session;
                session.observe(Optional.of(rows -> {
                    if (cancelled) {
                        throw new CancellationException("the calibration was cancelled");
                    }
                    statistics.observe(rows);
                    if (rows.layer() == layers - 1) {
                        listener.reading(before + rows.position() + rows.count(), ids.length);
                    }
                }));
                session.read(tokens);
            } finally {
                reading = null;
            }
        }
    }

    private void checkFinite(AttentionStatistics statistics) {
        for (LayerStatistics layer : statistics.layers()) {
            if (!layer.heads().stream().allMatch(HeadStatistics::finite)) {
                throw new ModelFormatException(
                        engine.model().directory(),
                        "attention of layer " + layer.layer() + " computes numbers that are not finite");
            }
        }
    }

    /** What was found for one layer by one method. */
    private record Found(
            CalibrationMethod method, LayerStatistics layer, BasisFitter.Fit keys, BasisFitter.Fit values) {

        static Found of(CalibrationMethod method, LayerStatistics layer, int rank) {
            return new Found(
                    method,
                    layer,
                    method.fitter().fit(layer, HalfShape.Side.KEYS, rank),
                    method.fitter().fit(layer, HalfShape.Side.VALUES, rank));
        }

        LayerBases bases(HalfShape.Side side) {
            BasisFitter.Fit fit = side == HalfShape.Side.KEYS ? keys : values;
            List<Moments> stored = layer.stored(side);
            List<LayerBases.Head> heads = new ArrayList<>();
            for (int head = 0; head < stored.size(); head++) {
                FittedBasis basis = fit.heads().get(head);
                heads.add(new LayerBases.Head(
                        floats(basis.down().data), floats(basis.up().data), floats(basis.bias()), (float)
                                basis.energyKept(stored.get(head))));
            }
            FittedBasis first = fit.heads().getFirst();
            return new LayerBases(first.rank(), first.headDim(), heads);
        }

        private static float[] floats(double[] values) {
            float[] floats = new float[values.length];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = (float) values[i];
            }
            return floats;
        }
    }

    private CalibrationReport fit(
            AttentionStatistics statistics, EnumSet<CalibrationMethod> methods, RankChoice ranks, int tokens) {
        List<Future<Found>> tasks = new ArrayList<>();
        try (ExecutorService workers = Executors.newFixedThreadPool(
                Runtime.getRuntime().availableProcessors(),
                Thread.ofPlatform().daemon(true).name("pikv-calibrator-", 0).factory())) {
            for (CalibrationMethod method : methods) {
                for (LayerStatistics layer : statistics.layers()) {
                    int rank = ranks.of(layer.layer());
                    tasks.add(workers.submit(() -> Found.of(method, layer, rank)));
                }
            }
            try {
                return report(statistics, tasks, tokens);
            } finally {
                workers.shutdownNow(); // where all went well nothing is left
            }
        }
    }

    private CalibrationReport report(AttentionStatistics statistics, List<Future<Found>> tasks, int tokens) {
        Map<Calibration.Place, LayerBases> bases = new TreeMap<>();
        List<CalibrationReport.Layer> layers = new ArrayList<>();
        for (Future<Found> task : tasks) {
            listener.fitting(layers.size(), tasks.size());
            Found found = await(task);
            int layer = found.layer().layer();
            LayerBases keys = found.bases(HalfShape.Side.KEYS);
            LayerBases values = found.bases(HalfShape.Side.VALUES);
            bases.put(new Calibration.Place(found.method(), layer, HalfShape.Side.KEYS), keys);
            bases.put(new Calibration.Place(found.method(), layer, HalfShape.Side.VALUES), values);
            layers.add(new CalibrationReport.Layer(
                    found.method(),
                    layer,
                    keys.rank(),
                    keys.headDim(),
                    keys.energyKept(),
                    values.energyKept(),
                    found.keys().gain(),
                    found.values().gain()));
        }
        listener.fitting(tasks.size(), tasks.size());
        LoadedModel model = engine.model();
        return new CalibrationReport(
                new Calibration(
                        "the calibration",
                        ModelFingerprint.of(model),
                        ModelFingerprint.describe(model),
                        bases,
                        statistics.layers().stream()
                                .map(layer -> layer.streaming().byHead())
                                .toList()),
                tokens,
                layers);
    }

    private Found await(Future<Found> task) {
        while (!cancelled) {
            Optional<Found> found = poll(task);
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw new CancellationException("the calibration was cancelled");
    }

    /** Waits for a moment only: somebody may have cancelled. */
    private static Optional<Found> poll(Future<Found> task) {
        try {
            return Optional.of(task.get(100, TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the calibration was interrupted");
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }
}
