package org.pikv4j.loader.safetensors;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Lines;

/** Tensors by name, whether they lie in one file or in many. */
public interface TensorSource {

    /**
     * @return the file that lists the tensors: the one file, or the index of the shards
     */
    Path listing();

    /**
     * @return the names of all tensors
     */
    Set<String> names();

    /**
     * @param name a tensor
     * @return the tensor, if there is one of that name
     */
    Optional<RawTensor> find(String name);

    /**
     * @return bytes of all files mapped
     */
    long mappedBytes();

    /**
     * @param name a tensor that must be there
     * @return the tensor
     * @throws ModelFormatException if there is none of that name
     */
    default RawTensor require(String name) {
        return find(name)
                .orElseThrow(() -> new ModelFormatException(listing(), "tensor " + Lines.quote(name) + " is missing"));
    }
}
