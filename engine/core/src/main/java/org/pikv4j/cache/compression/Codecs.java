package org.pikv4j.cache.compression;

import java.util.List;
import org.pikv4j.extension.Extensions;
import org.pikv4j.tensor.DType;

/** The codecs that are known. */
public final class Codecs {
    /** Elements as the model computed them. */
    public static final Codec F32 = new ExactCodec(DType.F32);
    /** Elements rounded to bfloat16. */
    public static final Codec BF16 = new ExactCodec(DType.BF16);
    /** Elements rounded to half precision. */
    public static final Codec F16 = new ExactCodec(DType.F16);

    private Codecs() {}

    /**
     * @param name a codec's name, as options spell it
     * @return the codec
     * @throws org.pikv4j.error.InvalidOptionException if there is none of that name
     */
    public static Codec named(String name) {
        return Extensions.find("kv-dtype", Codec.class, List.of(F32, BF16, F16), name);
    }
}
