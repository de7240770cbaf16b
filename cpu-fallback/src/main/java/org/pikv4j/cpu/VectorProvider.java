package org.pikv4j.cpu;

import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.BackendProvider;
import org.pikv4j.backend.BackendStatus;

/**
 * The backend on the Vector API. Refers to no class of that module before it has seen that the module is there (after
 * Lucene's VectorizationProvider).
 */
public final class VectorProvider implements BackendProvider {
    private static final String MODULE = "jdk.incubator.vector";

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public int preference() {
        return 10;
    }

    @Override
    public BackendStatus probe() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            return new BackendStatus.Unavailable(
                    "the module " + MODULE + " is not loaded", "start java with --add-modules " + MODULE);
        }
        return VectorKernels.status();
    }

    @Override
    public Backend open(BackendOptions options) {
        return new CpuBackend(name(), new VectorKernels(options.fused()), options);
    }
}
