package org.pikv4j.plan;

/**
 * The PiKV paper's model of a sharded cache (arXiv 2508.06526, §3.4), for one sequence: M = (2d/ρ)·(L/(G·S) + K·S), which is
 * least at S* = √(L/(K·G)), M* = (4d/ρ)·√(K·L/G).
 *
 * <p>The first term counts buffers, not bytes: L/(G·S) rings of S rows each would be L/G rows. So M* grows with √L, and is no
 * forecast of memory; it stands beside the figures that count bytes. 2d is what all layers keep of a token, 2 bytes for each
 * number.
 *
 * @param rho how many times smaller than 16 bits the cache is kept, ρ
 * @param ring rows of a ring that holds a device's share of the context, S
 * @param memoryBytes M at that S
 * @param bestRing S*
 * @param leastMemoryBytes M*
 */
public record PaperModel(double rho, long ring, double memoryBytes, double bestRing, double leastMemoryBytes) {
    private static final int ELEMENT_BYTES = 2;

    /**
     * @param elements numbers that all layers keep of a token, 2d
     * @param rho ρ
     * @param context tokens, L
     * @param devices G
     * @param expertsPerToken K
     * @return the figures
     */
    static PaperModel of(long elements, double rho, int context, int devices, int expertsPerToken) {
        double rowBytes = elements * ELEMENT_BYTES / rho;
        long ring = Math.ceilDiv(context, devices);
        return new PaperModel(
                rho,
                ring,
                memoryBytes(rowBytes, context, devices, expertsPerToken, ring),
                bestRing(context, devices, expertsPerToken),
                2 * rowBytes * Math.sqrt((double) expertsPerToken * context / devices));
    }

    /**
     * @param rowBytes bytes of a token, 2d/ρ
     * @param length tokens, L
     * @param devices G
     * @param expertsPerToken K
     * @param ring S
     * @return M
     */
    public static double memoryBytes(double rowBytes, double length, int devices, int expertsPerToken, long ring) {
        return rowBytes * (length / ((double) devices * ring) + (double) expertsPerToken * ring);
    }

    /**
     * @param length tokens, L
     * @param devices G
     * @param expertsPerToken K
     * @return S*
     */
    public static double bestRing(double length, int devices, int expertsPerToken) {
        return Math.sqrt(length / ((double) expertsPerToken * devices));
    }
}
