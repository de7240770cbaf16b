package org.pikv4j.model;

import java.nio.file.Path;
import java.util.function.DoubleConsumer;

/** Reads one kind of model from disk. Found by {@link java.util.ServiceLoader}. */
public interface ModelLoader {

    /**
     * @return name of the format, for messages
     */
    String name();

    /**
     * @param model a directory or file
     * @return whether this loader knows its format; cheap, and no promise that the model is whole
     */
    boolean accepts(Path model);

    /**
     * Reads the configuration alone, without touching the weights.
     *
     * @param model a directory or file
     * @return the model's shape
     * @throws org.pikv4j.error.ModelFormatException if a file is missing, damaged or of an unknown kind
     */
    ModelConfig config(Path model);

    /**
     * Opens a model: checks everything, copies nothing large.
     *
     * @param model a directory or file
     * @param progress called with the share done, 0 to 1
     * @return the open model, which the caller closes
     * @throws org.pikv4j.error.ModelFormatException if a file is missing, damaged or of an unknown kind
     */
    LoadedModel load(Path model, DoubleConsumer progress);
}
