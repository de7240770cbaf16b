package org.pikv4j.cpu;

import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendContract;
import org.pikv4j.backend.BackendOptions;

class VectorBackendTest extends BackendContract {
    @Override
    protected Backend open(int threads) {
        return new VectorProvider().open(new BackendOptions(threads));
    }
}
