package org.pikv4j.calibration;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.pikv4j.cache.compression.Basis;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.scheduling.HeadScores;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.LoadedModel;

/**
 * Bases fitted to one model, by one or more methods, and what its heads lose where they see little. What is asked for is a method and a rank, {@code svd:32}; of {@code prune} it
 * is the share of channels that is dropped, {@code prune:0.5} (λ of ThinK, arXiv 2407.21018).
 *
 * <p>A rank below the fitted one is there where the first directions are the best of that number: svd, lora++ and prune. Immutable.
 */
public final class Calibration implements BasisSource, HeadScores {
    private final String source;
    private final String fingerprint;
    private final String description;
    private final Map<Place, LayerBases> bases;
    private final List<float[]> streamingErrors;

    /** Where bases are for, in the order of the file. */
    record Place(CalibrationMethod method, int layer, HalfShape.Side side) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            int byMethod = method.compareTo(other.method);
            int byLayer = Integer.compare(layer, other.layer);
            return byMethod != 0 ? byMethod : byLayer != 0 ? byLayer : side.compareTo(other.side);
        }
    }

    /**
     * @param source what messages call it
     * @param fingerprint of the model
     * @param description the model, for messages
     * @param bases one entry per method, layer and side
     * @param streamingErrors one entry per layer, with a number for each KV head; none if they are not known
     */
    Calibration(
            String source,
            String fingerprint,
            String description,
            Map<Place, LayerBases> bases,
            List<float[]> streamingErrors) {
        this.source = source;
        this.fingerprint = fingerprint;
        this.description = description;
        this.bases = new TreeMap<>(bases);
        this.streamingErrors = List.copyOf(streamingErrors);
    }

    /**
     * @param file a file that {@link #write} wrote
     * @return what it holds
     * @throws ModelFormatException if it cannot be read or is damaged
     */
    public static Calibration read(Path file) {
        return CalibrationFile.read(file);
    }

    /**
     * @param file the file to write or replace; on any failure it is as it was
     * @throws IOException if it cannot be written
     */
    public void write(Path file) throws IOException {
        CalibrationFile.write(this, file);
    }

    /**
     * @param model a model
     * @throws InvalidOptionException if this was made for another one
     * @throws ModelFormatException if something of it is missing
     */
    public void check(LoadedModel model) {
        if (!fingerprint.equals(ModelFingerprint.of(model))) {
            throw new InvalidOptionException("kv-calibration " + source + " was made for another model (" + description
                    + ") than " + model.directory() + " (" + ModelFingerprint.describe(model) + ")");
        }
        if (!streamingErrors.isEmpty()) {
            checkHeads(model);
        }
        for (CalibrationMethod method : methods()) {
            for (int layer = 0; layer < model.config().layers().size(); layer++) {
                AttentionSpec attention = model.config().layers().get(layer).attention();
                for (HalfShape.Side side : HalfShape.Side.values()) {
                    LayerBases found = bases.get(new Place(method, layer, side));
                    if (found == null
                            || found.headDim() != attention.headDim()
                            || found.heads().size() != attention.kvHeads()) {
                        throw new ModelFormatException(
                                Path.of(source), "does not hold " + method.text() + " for layer " + layer);
                    }
                }
            }
        }
    }

    private void checkHeads(LoadedModel model) {
        List<LayerSpec> layers = model.config().layers();
        for (int layer = 0; layer < layers.size(); layer++) {
            if (layer >= streamingErrors.size()
                    || streamingErrors.get(layer).length
                            != layers.get(layer).attention().kvHeads()) {
                throw new ModelFormatException(
                        Path.of(source), "does not say what the heads of layer " + layer + " lose");
            }
        }
    }

    @Override
    public float[][] streamingError() {
        if (streamingErrors.isEmpty()) {
            throw new InvalidOptionException(
                    "kv-calibration " + source + " does not say what heads lose: calibrate the model again");
        }
        return streamingErrors.stream().map(float[]::clone).toArray(float[][]::new);
    }

    private CalibrationMethod[] methods() {
        return bases.keySet().stream().map(Place::method).distinct().toArray(CalibrationMethod[]::new);
    }

    @Override
    public Basis basis(String term, HalfShape.Side side, int layer, int kvHead, int headDim) {
        int colon = term.indexOf(':');
        CalibrationMethod method = CalibrationMethod.named(colon < 0 ? term : term.substring(0, colon));
        String argument = colon < 0 ? "" : term.substring(colon + 1);
        int rank = method == CalibrationMethod.PRUNE ? kept(term, argument, headDim) : rank(term, argument, headDim);
        @Nullable LayerBases fitted = bases.get(new Place(method, layer, side));
        if (fitted == null) {
            throw new InvalidOptionException("kv-dtype " + term + ": " + source + " has no bases of " + method.text()
                    + (bases.isEmpty() ? ", nor others" : ", but of ")
                    + Arrays.stream(methods()).map(CalibrationMethod::text).collect(Collectors.joining(", ")));
        }
        if (rank > fitted.rank() || (rank < fitted.rank() && !method.nested())) {
            throw new InvalidOptionException("kv-dtype %s: %s was calibrated to rank %d in layer %d, %s"
                    .formatted(
                            term,
                            source,
                            fitted.rank(),
                            layer,
                            rank > fitted.rank()
                                    ? "and " + rank + " is more"
                                    : "and " + method.text() + " is of use at just that rank"));
        }
        return basis(term, fitted, fitted.heads().get(kvHead), rank);
    }

    private static Basis basis(String term, LayerBases fitted, LayerBases.Head head, int rank) {
        int headDim = fitted.headDim();
        float[] up = new float[headDim * rank];
        for (int i = 0; i < headDim; i++) {
            System.arraycopy(head.up(), i * fitted.rank(), up, i * rank, rank);
        }
        return new Basis(term, headDim, rank, Arrays.copyOf(head.down(), rank * headDim), up, bias(head));
    }

    /** Attention has nothing to add where there is none. */
    private static float[] bias(LayerBases.Head head) {
        for (float element : head.bias()) {
            if (element != 0) {
                return head.bias();
            }
        }
        return new float[0];
    }

    private static int rank(String term, String argument, int headDim) {
        Optional<Integer> rank =
                argument.matches("\\d{1,6}") ? Optional.of(Integer.parseInt(argument)) : Optional.empty();
        if (rank.isEmpty() || rank.get() < 1) {
            throw new InvalidOptionException("kv-dtype " + term + ": the rank must be a number from 1 on");
        }
        FormSpec.checkRank(term, rank.get(), headDim);
        return rank.get();
    }

    /** Channels that stay, at least one. */
    private static int kept(String term, String argument, int headDim) {
        double dropped;
        try {
            dropped = Double.parseDouble(argument);
        } catch (NumberFormatException e) {
            dropped = Double.NaN;
        }
        if (!(dropped >= 0 && dropped < 1)) {
            throw new InvalidOptionException(
                    "kv-dtype " + term + ": prune takes the share of channels to drop, from 0 to below 1");
        }
        return Math.max(1, (int) Math.round(headDim * (1 - dropped)));
    }

    /** One entry per layer, with a number for each KV head; none if they are not known. */
    List<float[]> streamingErrors() {
        return streamingErrors;
    }

    String fingerprint() {
        return fingerprint;
    }

    String description() {
        return description;
    }

    /** In the order of the file. */
    Map<Place, LayerBases> bases() {
        return bases;
    }
}
