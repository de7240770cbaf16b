package org.pikv4j.cache.compression;

/**
 * How a page is stored.
 *
 * @param keys its keys
 * @param values its values
 */
public record PageForm(HalfForm keys, HalfForm values) {

    /**
     * @param codec how both halves are stored, in the model's own coordinates
     */
    public PageForm(Codec codec) {
        this(new HalfForm(codec), new HalfForm(codec));
    }

    /**
     * @return as options spell it
     */
    public String name() {
        return keys.equals(values) ? keys.name() : keys.name() + "," + values.name();
    }

    /**
     * @return whether pages that are being filled can be kept in it
     */
    public boolean appendable() {
        return keys.basis().isEmpty()
                && values.basis().isEmpty()
                && keys.codec() instanceof RowCodec
                && values.codec() instanceof RowCodec;
    }
}
