package org.pikv4j.loader.weights;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.loader.safetensors.RawTensor;
import org.pikv4j.loader.safetensors.TensorSource;
import org.pikv4j.model.Linear;
import org.pikv4j.tensor.Tensor;

/** Hands out tensors by name and refuses those of another shape or type than the model's configuration calls for. */
final class TensorReader {
    private final TensorSource source;

    TensorReader(TensorSource source) {
        this.source = source;
    }

    boolean has(String name) {
        return source.find(name).isPresent();
    }

    /**
     * @param name a tensor's name
     * @param shape the shape it must have
     * @return the tensor, in place
     */
    Tensor tensor(String name, long... shape) {
        RawTensor raw = source.require(name);
        List<Long> expected = new ArrayList<>();
        for (long dim : shape) {
            expected.add(dim);
        }
        if (!raw.shape().equals(expected)) {
            throw raw.error("has the shape " + raw.shape() + ", but the configuration calls for " + expected);
        }
        return raw.tensor();
    }

    /**
     * @param name name of a norm or bias
     * @param length the length it must have
     * @return its elements
     */
    float[] vector(String name, int length) {
        return tensor(name, length).toFloats();
    }

    /**
     * @param name the name without {@code .weight}
     * @param out rows
     * @param in columns
     * @param bias whether there is a bias of {@code out} elements
     * @return the linear map
     */
    Linear linear(String name, int out, int in, boolean bias) {
        Tensor weight = tensor(name + ".weight", out, in);
        return bias ? new Linear(weight, vector(name + ".bias", out)) : new Linear(weight);
    }
}
