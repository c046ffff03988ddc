# Runs the steps of image/allerac_image/pipeline.py over a root folder. No virtual machine is booted:
# an image is a function of its inputs. Only parts that every Packer since 1.6 has built in.
packer {
  required_version = ">= 1.6.0"
}

variable "python" {
  type = string
}

variable "plan" {
  type = string
}

variable "staging" {
  type = string
}

variable "files" {
  type = list(string)
}

locals {
  step = "${var.python} -m allerac_image step --plan ${var.plan}"
}

source "null" "allerac" {
  communicator = "none"
}

build {
  sources = ["source.null.allerac"]

  provisioner "shell-local" {
    inline = [
      "${local.step} unpack",
      "${local.step} provision",
      "${local.step} initrd",
      "${local.step} boot-loader",
      "${local.step} seal",
    ]
  }

  provisioner "shell-local" {
    inline = [
      "${local.step} root",
      "${local.step} boot",
      "${local.step} disk",
      "${local.step} bundle",
      "${local.step} inventory",
      "${local.step} compress",
    ]
  }

  post-processors {
    post-processor "artifice" {
      files = var.files
    }
    post-processor "checksum" {
      checksum_types = ["sha256"]
      output         = "${var.staging}/SHA256SUMS"
    }
    post-processor "manifest" {
      output     = "${var.staging}/manifest.json"
      strip_path = true
    }
  }
}
