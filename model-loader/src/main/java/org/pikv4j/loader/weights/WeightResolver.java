package org.pikv4j.loader.weights;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import org.pikv4j.loader.config.Biases;
import org.pikv4j.loader.config.Family.ExpertNames;
import org.pikv4j.loader.config.Family.Experts;
import org.pikv4j.loader.config.HuggingFaceConfig;
import org.pikv4j.loader.safetensors.TensorSource;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.AttentionSpec.QkNorm;
import org.pikv4j.model.AttentionWeights;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.FeedForwardWeights;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.LayerWeights;
import org.pikv4j.model.Linear;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.model.ModelWeights;
import org.pikv4j.model.SwiGlu;
import org.pikv4j.tensor.Tensor;

/**
 * Finds the tensors of a model by the names that its family gives them. Tensors that no name asks for are ignored, as
 * older files carry precomputed rotary frequencies.
 */
public final class WeightResolver {
    private static final float[] NONE = {};

    private final HuggingFaceConfig config;
    private final ModelConfig model;
    private final TensorReader tensors;

    private WeightResolver(HuggingFaceConfig config, TensorSource source) {
        this.config = config;
        this.model = config.model();
        this.tensors = new TensorReader(source);
    }

    /**
     * @param config the model's configuration
     * @param source the model's tensors
     * @param progress called with the share of the layers done, 0 to 1
     * @return the weights, in place except for norms and biases
     * @throws org.pikv4j.error.ModelFormatException naming the tensor that is missing or has the wrong shape or type
     */
    public static ModelWeights resolve(HuggingFaceConfig config, TensorSource source, DoubleConsumer progress) {
        return new WeightResolver(config, source).model(progress);
    }

    private ModelWeights model(DoubleConsumer progress) {
        Tensor embedding = tensors.tensor("model.embed_tokens.weight", model.vocabulary(), model.hidden());
        // Where both are there, transformers 5 ties nothing, whatever the configuration says.
        Linear output = model.tiedEmbeddings() && !tensors.has("lm_head.weight")
                ? new Linear(embedding)
                : tensors.linear("lm_head", model.vocabulary(), model.hidden(), false);
        float[] finalNorm = tensors.vector("model.norm.weight", model.hidden());
        List<LayerWeights> layers = new ArrayList<>();
        for (int i = 0; i < model.layers().size(); i++) {
            layers.add(layer("model.layers." + i + ".", model.layers().get(i)));
            progress.accept((double) layers.size() / model.layers().size());
        }
        return new ModelWeights(embedding, layers, finalNorm, output);
    }

    private LayerWeights layer(String prefix, LayerSpec spec) {
        return new LayerWeights(
                tensors.vector(prefix + "input_layernorm.weight", model.hidden()),
                attention(prefix + "self_attn.", spec.attention()),
                tensors.vector(prefix + "post_attention_layernorm.weight", model.hidden()),
                feedForward(prefix, spec.feedForward()));
    }

    private AttentionWeights attention(String prefix, AttentionSpec spec) {
        Biases biases = config.biases();
        int hidden = model.hidden();
        return new AttentionWeights(
                tensors.linear(prefix + "q_proj", spec.queryWidth(), hidden, biases.queryKeyValue()),
                tensors.linear(prefix + "k_proj", spec.kvWidth(), hidden, biases.queryKeyValue()),
                tensors.linear(prefix + "v_proj", spec.kvWidth(), hidden, biases.queryKeyValue()),
                tensors.linear(prefix + "o_proj", hidden, spec.queryWidth(), biases.attentionOutput()),
                norm(prefix + "q_norm.weight", spec.qkNorm(), spec.headDim(), spec.queryWidth()),
                norm(prefix + "k_norm.weight", spec.qkNorm(), spec.headDim(), spec.kvWidth()));
    }

    private float[] norm(String name, QkNorm kind, int headDim, int width) {
        return switch (kind) {
            case NONE -> NONE;
            case PER_HEAD -> tensors.vector(name, headDim);
            case WHOLE_PROJECTION -> tensors.vector(name, width);
        };
    }

    private FeedForwardWeights feedForward(String prefix, FeedForwardSpec spec) {
        return switch (spec) {
            case FeedForwardSpec.Dense dense ->
                new FeedForwardWeights.Dense(block(
                        prefix + "mlp.",
                        ExpertNames.MLP,
                        dense.width(),
                        config.biases().mlp()));
            case FeedForwardSpec.Sparse sparse -> sparse(prefix, sparse);
        };
    }

    private FeedForwardWeights sparse(String layer, FeedForwardSpec.Sparse spec) {
        ExpertNames names = config.family().experts().map(Experts::names).orElseThrow();
        // Transformers 5 itself calls the block "mlp" in every family, and a file may follow it.
        String own = layer + names.block() + ".";
        String renamed = layer + ExpertNames.MLP.block() + ".";
        String prefix = !tensors.has(own + "gate.weight") && tensors.has(renamed + "gate.weight") ? renamed : own;
        Linear router = tensors.linear(prefix + "gate", spec.experts(), model.hidden(), false);
        List<SwiGlu> experts = tensors.has(prefix + "experts.gate_up_proj")
                ? fusedExperts(prefix + "experts.", spec)
                : separateExperts(prefix + "experts.", names, spec);
        Optional<FeedForwardWeights.Shared> shared = Optional.empty();
        if (spec.sharedWidth().isPresent()) {
            shared = Optional.of(new FeedForwardWeights.Shared(
                    block(
                            prefix + "shared_expert.",
                            ExpertNames.MLP,
                            spec.sharedWidth().getAsInt(),
                            false),
                    tensors.linear(prefix + "shared_expert_gate", 1, model.hidden(), false)));
        }
        return new FeedForwardWeights.Sparse(router, experts, shared);
    }

    private List<SwiGlu> separateExperts(String prefix, ExpertNames names, FeedForwardSpec.Sparse spec) {
        List<SwiGlu> experts = new ArrayList<>();
        for (int e = 0; e < spec.experts(); e++) {
            experts.add(block(prefix + e + ".", names, spec.width(), false));
        }
        return experts;
    }

    /**
     * All experts in two tensors, {@code gate_up_proj} (experts, 2·width, hidden) with the gate's rows first, and
     * {@code down_proj} (experts, hidden, width): how transformers 5 holds them in memory.
     */
    private List<SwiGlu> fusedExperts(String prefix, FeedForwardSpec.Sparse spec) {
        int width = spec.width();
        Tensor gateUp = tensors.tensor(prefix + "gate_up_proj", spec.experts(), 2L * width, model.hidden());
        Tensor down = tensors.tensor(prefix + "down_proj", spec.experts(), model.hidden(), width);
        List<SwiGlu> experts = new ArrayList<>();
        for (int e = 0; e < spec.experts(); e++) {
            Tensor both = gateUp.slice(e);
            experts.add(new SwiGlu(
                    new Linear(both.rows(0, width)),
                    new Linear(both.rows(width, 2 * width)),
                    new Linear(down.slice(e))));
        }
        return experts;
    }

    private SwiGlu block(String prefix, ExpertNames names, int width, boolean bias) {
        return new SwiGlu(
                tensors.linear(prefix + names.gate(), width, model.hidden(), bias),
                tensors.linear(prefix + names.up(), width, model.hidden(), bias),
                tensors.linear(prefix + names.down(), model.hidden(), width, bias));
    }
}
