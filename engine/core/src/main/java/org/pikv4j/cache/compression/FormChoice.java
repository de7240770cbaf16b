package org.pikv4j.cache.compression;

/** In which form sealed pages are kept, layer by layer and head by head. */
public interface FormChoice {

    /**
     * @param form how all pages are kept
     * @return the choice of that form everywhere
     */
    static FormChoice of(PageForm form) {
        record Everywhere(PageForm form) implements FormChoice {
            @Override
            public String name() {
                return form.name();
            }

            @Override
            public PageForm form(int layer, int kvHead, int headDim) {
                return form;
            }
        }
        return new Everywhere(form);
    }

    /**
     * @return for people
     */
    String name();

    /**
     * @param count layers of the model
     * @throws org.pikv4j.error.InvalidOptionException if it names a layer that is not among them
     */
    default void checkLayers(int count) {}

    /**
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @param headDim width of a head
     * @return the form
     * @throws org.pikv4j.error.InvalidOptionException if what was asked for does not fit this place
     */
    PageForm form(int layer, int kvHead, int headDim);
}
