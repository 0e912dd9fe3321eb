namespace Diecast.Boot;

/// <summary>The modules that find and mount the root file system on common machines, physical and virtual.</summary>
public static class InitrdModules
{
    /// <summary>Patterns for <see cref="KernelModules"/>.</summary>
    public static IReadOnlyList<string> Default { get; } =
        [.. Text.Split('\n').Select(static line => line.Split('#')[0]).SelectMany(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    private const string Text = """
        # disks: SATA and IDE, NVMe, eMMC and SD cards, USB, persistent memory, virtual disks
        drivers/ata/ -pata_*
        ata_piix pata_acpi pata_legacy
        drivers/nvme/host/ -nvme-rdma vmd
        mmc_block mmc_core sdhci sdhci-acpi sdhci-pci rtsx_pci_sdmmc rtsx_usb_sdmmc
        usb-storage uas ums-*
        nd_pmem nd_btt nd_e820 nfit
        virtio_blk virtio_scsi xen-blkfront xen-scsifront hv_storvsc vmw_pvscsi nbd loop brd zram
        # SCSI: the disk and disc drivers, and the controllers of servers and hypervisors
        sd_mod sr_mod sg cdrom scsi_mod scsi_transport_* scsi_dh_* ses enclosure
        ahci megaraid_sas megaraid_mbox mpt3sas mptspi mptsas mptfc mpi3mr hpsa aacraid smartpqi sym53c8xx BusLogic
        lpfc qla2xxx iscsi_tcp iscsi_ibft isci pm80xx ufshcd-pci
        # stacked block devices
        md-mod raid[0-9]* linear dm-* bcache
        # buses
        virtio virtio_* virtio-* drivers/virtio/ drivers/hv/ drivers/xen/ drivers/pci/
        vmw_balloon vmw_vmci vmw_vsock_* vsock hv_sock vboxguest qemu_fw_cfg
        drivers/usb/host/ drivers/usb/core/ drivers/usb/common/ drivers/usb/dwc3/
        nvmem_* i2c-i801 i2c-piix4 i2c-designware-* intel-lpss* pinctrl-* thunderbolt
        # keyboards, for passphrases and emergency shells
        atkbd i8042 serio libps2 psmouse xtkbd hyperv-keyboard xen-kbdfront evdev
        hid hid-generic hid-hyperv hid-apple hid-cherry hid-corsair hid-holtek-kbd hid-lenovo hid-logitech* hid-microsoft
        hid-multitouch hid-roccat* hid-rmi hid-sunplus usbhid usbkbd i2c-hid* surface_* applespi spi-pxa2xx* intel_ishtp* intel-ish-*
        # console
        simpledrm bochs virtio-gpu cirrus* hyperv_drm hyperv_fb drm_* ttm efi-pstore fbcon vesafb efifb
        # TPM, random numbers, firmware
        drivers/char/tpm/ drivers/char/hw_random/virtio-rng drivers/firmware/efi/ efivarfs dmi-sysfs
        # file systems, and what they are loaded with by name
        ext4 btrfs xfs f2fs bcachefs vfat exfat fat erofs squashfs overlay isofs udf autofs4 binfmt_misc fuse virtiofs 9p 9pnet_virtio configfs fs/nls/
        crypto/ lib/ arch/*/crypto/ arch/*/lib/ -tcrypt -*inject -ts_*
        crc32c* libcrc32c xxhash*
        # network of virtual machines, for credentials and remote disks
        virtio_net af_packet
        """;
}
