package org.pikv4j.bench.compression;

import java.util.Arrays;
import java.util.Optional;
import org.pikv4j.cache.compression.Basis;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.PageForm;

/**
 * Forms as they would do in a model with outlier channels, which large models have and small ones have not (KIVI, arXiv
 * 2402.02750, §3.2): in every head the keys of two rope pairs are larger by a factor, and the queries smaller. Exact attention
 * is the same, so the change is one of coordinates, which a {@link Basis} expresses: D·S and S⁻¹·U.
 *
 * @param forms the forms
 * @param factor by which four channels of the keys are larger
 */
record OutlierForms(FormChoice forms, float factor) implements FormChoice {

    @Override
    public String name() {
        return forms.name();
    }

    @Override
    public PageForm form(int layer, int kvHead, int headDim) {
        PageForm form = forms.form(layer, kvHead, headDim);
        // Floats are as precise for large channels as for small ones.
        return form.appendable() ? form : new PageForm(scaled(form.keys(), headDim), form.values());
    }

    private HalfForm scaled(HalfForm keys, int headDim) {
        float[] scale = new float[headDim];
        Arrays.fill(scale, 1f);
        for (int pair : new int[] {1, headDim / 4}) {
            scale[pair] = factor;
            scale[pair + headDim / 2] = factor;
        }
        int rank = keys.width(headDim);
        float[] down = keys.basis().map(basis -> basis.down().clone()).orElseGet(() -> identity(headDim));
        float[] up = keys.basis().map(basis -> basis.up().clone()).orElseGet(() -> identity(headDim));
        for (int i = 0; i < headDim; i++) {
            for (int r = 0; r < rank; r++) {
                down[r * headDim + i] *= scale[i];
                up[i * rank + r] /= scale[i];
            }
        }
        float[] bias = keys.basis().map(Basis::bias).orElseGet(() -> new float[0]);
        String name = keys.basis().map(Basis::name).orElse("outliers");
        return new HalfForm(keys.codec(), Optional.of(new Basis(name, headDim, rank, down, up, bias)));
    }

    private static float[] identity(int width) {
        float[] matrix = new float[width * width];
        for (int i = 0; i < width; i++) {
            matrix[i * width + i] = 1f;
        }
        return matrix;
    }
}
