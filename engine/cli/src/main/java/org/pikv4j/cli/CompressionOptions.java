package org.pikv4j.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.calibration.Calibration;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.Option;

/** The options of commands whose cache may be compressed. */
public final class CompressionOptions {
    @Option(
            names = "--kv-calibration",
            paramLabel = "FILE",
            order = 7,
            description =
                    "Bases fitted to the model, for types such as svd:32, and what its heads need, for --kv-policy"
                            + " duo; the command calibrate writes it.")
    private Optional<Path> kvCalibration = Optional.empty();

    @Option(
            names = "--kv-residual",
            paramLabel = "N",
            order = 8,
            description = "Newest tokens that stay exact where the cache is compressed (default: ${DEFAULT-VALUE}).")
    private int kvResidual = Residual.DEFAULT.tokens();

    @Option(
            names = "--kv-sinks",
            paramLabel = "N",
            order = 9,
            description = "First tokens that stay exact where the cache is compressed (default: ${DEFAULT-VALUE}).")
    private int kvSinks = Residual.DEFAULT.sinks();

    /**
     * @param forms all that the command keeps its cache in
     * @param policies all that evict
     * @throws InvalidOptionException if one cannot be understood, a policy needs a calibration and none was given, or none
     *     needs the one that was
     */
    public void check(List<String> forms, List<PolicyChoice> policies) {
        boolean fitted = forms.stream()
                .map(form -> FormSpec.parse(form, BasisSource.NONE).fitted())
                .reduce(false, Boolean::logicalOr);
        Optional<EvictionPolicy> heads = policies.stream()
                .flatMap(policy -> policy.eviction().stream())
                .flatMap(policy -> policy.fitted().stream())
                .findFirst();
        if (kvCalibration.isEmpty() && heads.isPresent()) {
            throw new InvalidOptionException("the policy " + heads.get().name()
                    + " needs --kv-calibration FILE, which the command calibrate writes");
        }
        if (kvCalibration.isPresent() && !fitted && heads.isEmpty()) {
            throw new InvalidOptionException("--kv-calibration is unused: only svd:R, lora:R, lora++:R, prune:F and"
                    + " distill:R need it, and the policy duo");
        }
    }

    /**
     * @return the bases of the calibration, if one was named
     */
    public BasisSource bases() {
        return kvCalibration.map(file -> (BasisSource) Calibration.read(file)).orElse(BasisSource.NONE);
    }

    /**
     * @return what stays exact
     * @throws InvalidOptionException if it is less than nothing
     */
    public Residual residual() {
        return new Residual(kvResidual, kvSinks, Residual.DEFAULT_INTERVAL);
    }

    /**
     * @param builder receives the options
     * @return the builder
     */
    public PiKV.Builder apply(PiKV.Builder builder) {
        kvCalibration.ifPresent(builder::kvCalibration);
        return builder.kvResidual(kvResidual).kvSinks(kvSinks);
    }
}
