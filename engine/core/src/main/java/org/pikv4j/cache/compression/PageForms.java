package org.pikv4j.cache.compression;

import java.util.List;
import org.pikv4j.extension.Extensions;
import org.pikv4j.tensor.DType;

/** The page forms that are known. */
public final class PageForms {
    /** Rows as the model computed them. */
    public static final PageForm F32 = new ExactForm(DType.F32);
    /** Rows rounded to bfloat16: half the bytes. */
    public static final PageForm BF16 = new ExactForm(DType.BF16);

    private PageForms() {}

    /**
     * @param name a form's name, as options spell it
     * @return the form
     * @throws org.pikv4j.error.InvalidOptionException if there is none of that name
     */
    public static PageForm named(String name) {
        return Extensions.find("kv-dtype", PageForm.class, List.of(F32, BF16), name);
    }
}
