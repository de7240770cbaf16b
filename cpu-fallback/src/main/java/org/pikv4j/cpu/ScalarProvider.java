package org.pikv4j.cpu;

import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.BackendProvider;
import org.pikv4j.backend.BackendStatus;

/** The backend that runs everywhere. */
public final class ScalarProvider implements BackendProvider {

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public int preference() {
        return 0;
    }

    @Override
    public BackendStatus probe() {
        return new BackendStatus.Available("plain Java loops, the oracle of the others");
    }

    @Override
    public Backend open(BackendOptions options) {
        return new CpuBackend(name(), new ScalarKernels(), options);
    }
}
