package org.pikv4j.cache.compression;

import static org.pikv4j.cache.compression.BlockCodec.Extent.ALL;

import java.util.List;
import org.pikv4j.cache.compression.BlockCodec.Extent;
import org.pikv4j.cache.compression.CodeFormat.Integers;
import org.pikv4j.cache.compression.CodeFormat.LloydMax;
import org.pikv4j.cache.compression.CodeFormat.MiniFloat;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.extension.Extensions;
import org.pikv4j.tensor.DType;

/** The codecs there are, by name. */
public final class Codecs {

    /** float32. */
    public static final RowCodec F32 = new ExactCodec(DType.F32);

    /** bfloat16. */
    public static final RowCodec BF16 = new ExactCodec(DType.BF16);

    /** IEEE 754 binary16. */
    public static final RowCodec F16 = new ExactCodec(DType.F16);

    private static final Extent TOKEN = new Extent(1, ALL);
    private static final Extent TOKEN_32 = new Extent(1, 32);
    private static final Extent TOKEN_16 = new Extent(1, 16);
    private static final Extent CHANNEL_32 = new Extent(32, 1);
    private static final Extent HALF = new Extent(ALL, ALL);

    private static final List<Codec> BUILT_IN = List.of(
            F32,
            BF16,
            F16,
            alike("fp8-e4m3", MiniFloat.E4M3, ScaleFormat.ABSMAX_F32, HALF),
            alike("fp8-e5m2", MiniFloat.E5M2, ScaleFormat.ABSMAX_F32, HALF),
            alike("int8", Integers.SIGNED_8, ScaleFormat.ABSMAX_BF16, TOKEN_32),
            alike("int4", Integers.SIGNED_4, ScaleFormat.ABSMAX_BF16, TOKEN_32),
            alike("int4a", Integers.UNSIGNED_4, ScaleFormat.RANGE_BF16, TOKEN_32),
            // KIVI (arXiv 2402.02750, §3.2): some channels of keys are far larger than the rest, so each has its own
            // scale.
            new BlockCodec("kivi4", Integers.UNSIGNED_4, ScaleFormat.RANGE_BF16, CHANNEL_32, TOKEN_32),
            new BlockCodec("kivi2", Integers.UNSIGNED_2, ScaleFormat.RANGE_BF16, CHANNEL_32, TOKEN_32),
            alike("nvfp4", MiniFloat.E2M1, ScaleFormat.ABSMAX_E4M3, TOKEN_16),
            alike("mxfp4", MiniFloat.E2M1, ScaleFormat.POWER_OF_TWO, TOKEN_32),
            alike("turbo4", new LloydMax(4), ScaleFormat.NORM_BF16, TOKEN),
            alike("turbo3", new LloydMax(3), ScaleFormat.NORM_BF16, TOKEN),
            alike("turbo2", new LloydMax(2), ScaleFormat.NORM_BF16, TOKEN));

    private Codecs() {}

    private static Codec alike(String name, CodeFormat codes, ScaleFormat scales, Extent extent) {
        return new BlockCodec(name, codes, scales, extent, extent);
    }

    /**
     * @return the codecs that need no parameter and no service entry
     */
    public static List<Codec> builtIn() {
        return BUILT_IN;
    }

    /**
     * @param name a codec's name, as options spell it; {@code chunk-pca:r} is one of rank r
     * @return the codec
     * @throws InvalidOptionException if there is none of that name; the message lists all that forms are made of
     */
    public static Codec named(String name) {
        if ((name + ":").startsWith(ChunkPca.PREFIX)) {
            return ChunkPca.parse(name);
        }
        return Extensions.find("kv-dtype", Codec.class, BUILT_IN, name, FormSpec.OTHERS);
    }
}
